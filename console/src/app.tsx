import { useEffect, useErrorBoundary, useState } from "preact/hooks";
import { link, type Route, replace, useRoute } from "./router.ts";
import { PLACES, type Screen } from "./screens.ts";
import { signOut, useSession } from "./session.ts";
import { SignIn, SignInAgain } from "./sign_in.tsx";
import { Button, Empty, ErrorNotice, Loading, Page } from "./ui/index.ts";

const FIRST = "packs";

export function App() {
  const route = useRoute();
  const { session, ended } = useSession();
  useEffect(() => {
    if (session && (route.path.length === 0 || route.path[0] === "login")) replace([FIRST]);
  }, [session, route]);
  if (!session) return <main id="main"><SignIn route={route} /></main>;
  return (
    <>
      <a class="skip" href="#main" onClick={focusMain}>Skip to the content</a>
      <Header here={route.path[0]} operates={session.operates} />
      <main id="main" tabIndex={-1}><Shown route={route} /></main>
      {/* The screen stays below: what was typed there is not lost. */}
      {ended && <SignInAgain />}
    </>
  );
}

/** The fragment is the address of a screen, so that the link must not change it. */
function focusMain(event: Event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Header({ here, operates }: { here: string | undefined; operates: boolean }) {
  return (
    <header class="top">
      <a class="brand" href={link([FIRST])}>Packyard</a>
      <nav aria-label="Screens">
        <ul>
          {Object.entries(PLACES).map(([name, place]) => place.title && (operates || !place.operates) && (
            <li key={name}>
              <a href={link([name])} aria-current={here === name ? "page" : undefined}>{place.title}</a>
            </li>
          ))}
        </ul>
      </nav>
      <Button onClick={signOut}>Sign out</Button>
    </header>
  );
}

function Shown({ route }: { route: Route }) {
  const place = PLACES[route.path[0] ?? FIRST];
  if (!place) return <Unknown />;
  // A pack's screen is another than the list's: the depth tells them apart, and a key mounts each anew.
  const which = `${route.path[0]}/${route.path.length > 1 ? route.path[1] : ""}`;
  return <Lazy key={which} load={() => place.load(route.path)} route={route} />;
}

function Lazy({ load, route }: { load: () => Promise<{ default: Screen }>; route: Route }) {
  const [loaded, setLoaded] = useState<{ Screen: Screen }>();
  const [error, setError] = useState<unknown>();
  const [crash] = useErrorBoundary();
  useEffect(() => {
    load().then(({ default: Screen }) => setLoaded({ Screen }), setError);
  }, []);
  // A fault of the page takes this screen with it, and not the way to the others.
  if (crash) return <ErrorNotice error={crash} />;
  if (loaded) return <loaded.Screen route={route} />;
  if (error) return <ErrorNotice error={error} onRetry={() => location.reload()} />;
  return <Loading />;
}

function Unknown() {
  return (
    <Page title="No such page">
      <Empty title="This address names no screen of the console.">
        <p><a href={link([FIRST])}>Go to the packs</a></p>
      </Empty>
    </Page>
  );
}
