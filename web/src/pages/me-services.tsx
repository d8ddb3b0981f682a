/** Services and what each has received, then every login: read from the journal that only the person can open. */
import { useI18n } from "../i18n";
import type { JournalEntry } from "../state/vault";
import type { Localised } from "../types";
import { attributeLabel, orderedNames } from "../ui/attributes";

interface Known {
  service: Localised;
  last: string;
  logins: number;
  attributes: string[];
  /** The last answer is remembered. */
  remembered: boolean;
}

/** One entry per service, the last used first, with everything that it has received. */
export function servicesOf(journal: JournalEntry[]): Known[] {
  const known = new Map<string, Known>();
  for (const { at, service, attributes, remembered } of journal) {
    const key = service.en || service.fr;
    const before = known.get(key);
    const last = before === undefined || at > before.last ? at : before.last;
    known.set(key, { service, last, remembered: before === undefined || at > before.last ? remembered !== "" : before.remembered, logins: (before?.logins ?? 0) + 1, attributes: orderedNames([...new Set([...(before?.attributes ?? []), ...attributes])]) });
  }
  return [...known.values()].sort((a, b) => b.last.localeCompare(a.last));
}

export function Services({ journal }: { journal: JournalEntry[] }) {
  const i18n = useI18n();
  const { t, tn, time, own } = i18n;
  const received = (attributes: string[]) =>
    attributes.length === 0 ? t("me.journal_nothing") : t("me.journal_received", { attributes: attributes.map((a) => attributeLabel(i18n, a)).join(", ") });
  return (
    <section class="card stack across" aria-labelledby="me-services">
      <h2 id="me-services">{t("me.services")}</h2>
      {journal.length === 0 ? <p class="soft">{t("me.journal_none")}</p> : (
        <>
          <p class="soft">{t("me.services_text")}</p>
          <ul class="entries" data-testid="services">
            {servicesOf(journal).map((known) => (
              <li key={known.last + known.service.en}>
                <p class="entry-head"><strong>{own(known.service)}</strong><span class="soft">{tn("me.services_last", known.logins)}</span></p>
                <p>{received(known.attributes)}</p>
                {known.remembered && <p class="soft">{t("me.services_remembered")}</p>}
              </li>
            ))}
          </ul>
          <details class="fold">
            <summary>{t("me.journal")}</summary>
            <p class="hint">{t("me.journal_text")}</p>
            <ul class="entries" data-testid="journal">
              {journal.map((entry, i) => (
                <li key={entry.at + String(i)}>
                  <p class="entry-head"><strong>{own(entry.service)}</strong><time dateTime={entry.at} class="soft">{time(entry.at)}</time></p>
                  <p class="soft">{received(entry.attributes)}</p>
                  {entry.level !== undefined && <p class="soft">{t("me.journal_level", { level: t(`level.${entry.level}`) })}</p>}
                </li>
              ))}
            </ul>
          </details>
        </>
      )}
    </section>
  );
}
