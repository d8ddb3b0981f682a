import { useId } from "preact/hooks";
import { useI18n } from "../i18n";
import { dateParts, typedDate, type DatePart } from "../mrz";

interface Props {
  label: string;
  error?: string | undefined;
  /** Year, month and day with a dash between them, as far as typed: YYYY-MM-DD when it is complete. */
  value: string;
  onInput: (value: string) => void;
  /** The focus leaves the date, not merely one of its parts. */
  onBlur: () => void;
  /** Whether browsers may offer the person's own date of birth. */
  birthday?: boolean;
}

const fields: readonly { part: DatePart; length: number; complete: string }[] = [
  { part: "day", length: 2, complete: "bday-day" },
  { part: "month", length: 2, complete: "bday-month" },
  { part: "year", length: 4, complete: "bday-year" },
];

/**
 * A date as three numbers. A browser's own date field speaks the browser's language
 * and not the page's: 08/12 is then read in two ways, and a chip counts wrong dates.
 */
export function DateField({ label, error, value, onInput, onBlur, birthday = false }: Props) {
  const { t } = useI18n();
  const id = useId();
  const parts = dateParts(value);
  return (
    <fieldset
      class={`field date ${error === undefined ? "" : "wrong"}`}
      aria-describedby={error === undefined ? undefined : `${id}-error`}
      onFocusOut={(event) => {
        if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) onBlur();
      }}
    >
      <legend>{label}</legend>
      {error !== undefined && <p class="error" id={`${id}-error`}>{error}</p>}
      <div class="date-parts">
        {fields.map(({ part, length, complete }) => (
          <div key={part}>
            <label for={`${id}-${part}`}>{t(`date.${part}`)}</label>
            <input
              id={`${id}-${part}`}
              type="text"
              inputMode="numeric"
              class={`input date-${part}`}
              maxLength={length}
              autoComplete={birthday ? complete : "off"}
              value={parts[part]}
              aria-invalid={error === undefined ? undefined : "true"}
              aria-describedby={error === undefined ? undefined : `${id}-error`}
              onInput={(event) => { onInput(typedDate({ ...parts, [part]: event.currentTarget.value })); }}
            />
          </div>
        ))}
      </div>
    </fieldset>
  );
}
