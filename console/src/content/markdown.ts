/**
 * Markdown of packs, for people. What it holds is hostile until it is shown otherwise.
 *
 * Nothing in it can be followed or is fetched: links show their address, images their alternative text and address.
 * HTML is shown as the text that it is, comments and link definitions too, because an agent reads all of that, and a
 * reviewer must see what it reads. The rest passes a sanitiser that knows only these few elements.
 */
import DOMPurify from "dompurify";
import { Marked, type Tokens } from "marked";
import { visibleParts } from "./invisible.ts";
import { highlighter, known } from "./languages.ts";

const ELEMENTS = [
  "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "ul", "ol", "li", "pre", "code", "span", "em", "strong", "del",
  "table", "thead", "tbody", "tr", "th", "td",
];
const ATTRIBUTES = ["class", "start"];
/** Below the page's own two levels of headings. */
const HEADING_SHIFT = 2;

const reader = new Marked({
  gfm: true,
  renderer: {
    heading({ tokens, depth }) {
      const level = Math.min(6, depth + HEADING_SHIFT);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
    html: ({ text }) => inert(text),
    link({ href, tokens, autolink }: Tokens.Link & { autolink?: boolean }) {
      const text = this.parser.parseInline(tokens);
      return autolink || text === escaped(href) ? inert(href) : `${text} ${inert(`(${href})`)}`;
    },
    image: ({ href, text }) => inert(`[image: ${text || "no description"} (${href})]`),
    def: ({ raw }) => `<p>${inert(raw)}</p>`,
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    code({ text, lang }) {
      const language = known(/^\S*/.exec(lang ?? "")?.[0]?.toLowerCase() ?? "");
      const html = language ? highlighter.highlight(text, { language, ignoreIllegals: true }).value : escaped(text);
      return `<pre><code>${html}</code></pre>\n`;
    },
  },
});

/** Render Markdown into nodes that are safe to show. */
export function rendered(markdown: string): DocumentFragment {
  const html = reader.parse(markdown, { async: false });
  const fragment = DOMPurify.sanitize(html, {
    ALLOWED_TAGS: ELEMENTS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  showInvisible(fragment);
  return fragment;
}

/** Only here, after references such as `&#x202e;` have become the characters that they mean. */
function showInvisible(fragment: DocumentFragment): void {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const node of texts) {
    const parts = visibleParts(node.data);
    if (parts.some((part) => part.invisible)) node.replaceWith(...parts.map(shown));
  }
}

function shown(part: { text: string; invisible: boolean }): Node {
  if (!part.invisible) return document.createTextNode(part.text);
  const mark = document.createElement("span");
  mark.className = "invisible";
  mark.textContent = part.text;
  return mark;
}

function inert(text: string): string {
  return `<span class="inert">${escaped(text)}</span>`;
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
