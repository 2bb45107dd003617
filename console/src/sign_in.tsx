import { useEffect, useState } from "preact/hooks";
import { ApiError, base } from "./api.ts";
import type { Route } from "./router.ts";
import { signIn, signInByCode, signOut } from "./session.ts";
import { Button, Dialog, ErrorNotice, Field, Loading } from "./ui/index.ts";

export function SignIn({ route }: { route: Route }) {
  const code = route.path[0] === "login" ? route.path[1] : undefined;
  const [error, setError] = useState<unknown>();
  const [redeeming, setRedeeming] = useState(code !== undefined);
  useEffect(() => {
    document.title = "Sign in · Packyard";
    if (code === undefined) return;
    signInByCode(code).catch((reason: unknown) => {
      setError(reason);
      setRedeeming(false);
    });
  }, []);
  return (
    <div class="sign-in">
      <h1>Packyard</h1>
      {error !== undefined && <ErrorNotice error={error} />}
      {redeeming ? <Loading what="Signing in" /> : <KeyForm />}
      <p class="hint">
        The key stays in the memory of this tab, and is gone when you close or reload it. It is sent to{" "}
        <code>{base().host}</code> and nowhere else.
      </p>
    </div>
  );
}

/** Shown over the screen when the service has refused the key in the middle of the work. */
export function SignInAgain() {
  return (
    <Dialog title="Your key is not accepted any more">
      <p>It was revoked, or it has expired. Sign in with another one: this page stays as it is.</p>
      <KeyForm />
      <p><Button onClick={signOut}>Leave this page</Button></p>
    </Dialog>
  );
}

function KeyForm() {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await signIn(key.trim());
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  };
  const refused = error instanceof ApiError && error.status === 401;
  return (
    <form onSubmit={submit}>
      <Field
        label="API key or token"
        hint="An API key begins with sk_, a token of your identity provider with eyJ."
        error={refused ? "This key is not accepted." : undefined}
      >
        <input
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </Field>
      {error !== undefined && <ErrorNotice error={error} />}
      <Button kind="primary" type="submit" busy={busy}>Sign in</Button>
    </form>
  );
}
