interface Props {
  label: string;
  tabs: readonly { title: string; href: string; here: boolean }[];
}

/** The parts of a thing. Each has an address, so they are links and not an ARIA tab list. */
export function Tabs({ label, tabs }: Props) {
  return (
    <nav class="tabs" aria-label={label}>
      <ul>
        {tabs.map((tab) => (
          <li key={tab.href}>
            <a href={tab.href} aria-current={tab.here ? "page" : undefined}>{tab.title}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
