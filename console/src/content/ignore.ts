/** `.packyardignore`: the patterns by which an author leaves files out, read as the `packyard` command reads them. */

/**
 * Return a function that says whether a path is left out.
 *
 * @param text The file: a pattern a line, `#` for comments, `*`, `?` and `[…]` as in a shell, `*` across slashes too. A
 *   pattern with a slash is for the whole path, another for the name. One that ends in a slash is for folders.
 */
export function ignoredBy(text: string): (path: string) => boolean {
  const patterns = text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(rule);
  return (path) => {
    if (patterns.length === 0) return false;
    const segments = path.split("/");
    // What is in a folder that is left out is left out with it.
    return segments.some((name, index) => {
      const whole = segments.slice(0, index + 1).join("/");
      const folder = index < segments.length - 1;
      return patterns.some(({ test, folders, ofPath }) => (folder || !folders) && test.test(ofPath ? whole : name));
    });
  };
}

interface Rule {
  test: RegExp;
  folders: boolean;
  ofPath: boolean;
}

function rule(pattern: string): Rule {
  const plain = pattern.replace(/\/+$/, "");
  return { test: shellPattern(plain.replace(/^\//, "")), folders: plain !== pattern, ofPath: plain.includes("/") };
}

function shellPattern(pattern: string): RegExp {
  const source = pattern.replace(/\[(!?)(\]?[^\]]*)\]|[\s\S]/g, (part: string, not: string, inside: string | undefined) => {
    if (part === "*") return "[\\s\\S]*";
    if (part === "?") return "[\\s\\S]";
    // A class keeps its ranges. Nothing else in it has a meaning of its own.
    if (inside !== undefined) return `[${not ? "^" : ""}${inside.replace(/[\\[\]^]/g, "\\$&")}]`;
    return part.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    // A range that runs backwards, such as [z-a], matches nothing.
    return /(?!)/;
  }
}
