/** The building blocks of the pages: buttons, fields, notices, dialogs. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useI18n } from "../i18n";
import { Icon } from "./drawings";

interface ButtonProps {
  children: ComponentChildren;
  onClick?: () => void;
  kind?: "primary" | "secondary" | "quiet";
  type?: "button" | "submit";
  /** Unavailable for now; stays focusable and says why through describedBy. */
  off?: boolean;
  busy?: boolean;
  label?: string;
  describedBy?: string;
}

export function Button({ children, onClick, kind = "secondary", type = "button", off = false, busy = false, label, describedBy }: ButtonProps) {
  return (
    <button
      type={type}
      class={`button ${kind}`}
      aria-disabled={off || busy ? "true" : undefined}
      aria-busy={busy ? "true" : undefined}
      aria-label={label}
      aria-describedby={describedBy}
      onClick={(event) => {
        if (off || busy) {
          event.preventDefault();
          return;
        }
        onClick?.();
      }}
    >
      {children}
    </button>
  );
}

interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  value: string;
  onInput: (value: string) => void;
  onBlur?: () => void;
  mono?: boolean;
  width?: "s" | "m" | "full";
  inputMode?: "text" | "numeric";
  autoComplete?: string;
  maxLength?: number;
  note?: ComponentChildren;
}

/** A labelled text field with its hint, its error and a note that appears as one types. */
export function Field({ label, hint, error, value, onInput, onBlur, mono = false, width = "full", note, ...rest }: FieldProps) {
  const id = useId();
  const described = [hint === undefined ? "" : `${id}-hint`, error === undefined ? "" : `${id}-error`, `${id}-note`].filter((s) => s !== "").join(" ");
  return (
    <div class={`field ${error === undefined ? "" : "wrong"}`}>
      <label for={id}>{label}</label>
      {hint !== undefined && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {error !== undefined && <p class="error" id={`${id}-error`}>{error}</p>}
      <input
        {...rest}
        id={id}
        type="text"
        class={`input width-${width} ${mono ? "mono" : ""}`}
        value={value}
        autoCapitalize={mono ? "characters" : "off"}
        autoCorrect="off"
        spellcheck={false}
        aria-invalid={error === undefined ? undefined : "true"}
        aria-describedby={described}
        onInput={(event) => { onInput(event.currentTarget.value); }}
        onBlur={onBlur}
      />
      <div class="note" id={`${id}-note`} aria-live="polite">{note}</div>
    </div>
  );
}

interface ChoiceProps<T extends string> {
  legend: string;
  value: T | "";
  onChange: (value: T) => void;
  options: { value: T; label: string; text?: string }[];
}

/** Radio buttons as equal cards. */
export function Choice<T extends string>({ legend, value, onChange, options }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      <div class="choices">
        {options.map((option) => (
          <label key={option.value} class="choice-card">
            <input
              type="radio"
              name={name}
              checked={value === option.value}
              aria-describedby={option.text === undefined ? undefined : `${name}-${option.value}`}
              onChange={() => {
                onChange(option.value);
              }}
            />
            <span class="choice-words">
              <span class="choice-label">{option.label}</span>
              {option.text !== undefined && <span class="choice-text" id={`${name}-${option.value}`} aria-hidden="true">{option.text}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** A box that draws the eye: information, success, or something in the way (announced at once). */
export function Notice({ tone, title, children }: { tone: "info" | "good" | "bad"; title?: string; children: ComponentChildren }) {
  const icon = { info: "info", good: "yes", bad: "info" } as const;
  return (
    <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon name={icon[tone]} />
      <div class="notice-body">
        {title !== undefined && <p class="notice-title">{title}</p>}
        {children}
      </div>
    </div>
  );
}

/** Copies a text; says so for two seconds. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const { t } = useI18n();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => {
      setCopied(false);
    }, 2000);
    return () => {
      clearTimeout(timer);
    };
  }, [copied]);
  return (
    <Button
      kind="quiet"
      label={copied ? t("app.copied") : label}
      onClick={() => {
        void navigator.clipboard.writeText(text).then(
          () => {
            setCopied(true);
          },
          () => undefined, // refused by the browser: the text stays selectable
        );
      }}
    >
      <Icon name={copied ? "yes" : "copy"} />
      <span aria-hidden="true">{copied ? t("app.copied") : t("app.copy")}</span>
    </Button>
  );
}

interface DialogProps {
  title: string;
  children: ComponentChildren;
  yes: string;
  no: string;
  onYes: () => void;
  onNo: () => void;
}

/** A question with two answers of equal weight; Escape means no. */
export function Dialog({ title, children, yes, no, onYes, onNo }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const here = useRef(false);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    here.current = true;
    dialog?.showModal();
    return () => {
      here.current = false;
      dialog?.close();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onNo();
      }}
      onClose={() => {
        // A browser may close it without asking (HTML, close watchers): that is a no too.
        if (here.current) onNo();
      }}
    >
      <h2 id={id}>{title}</h2>
      <div class="stack">{children}</div>
      <div class="pair">
        <Button onClick={onNo}>{no}</Button>
        <Button onClick={onYes}>{yes}</Button>
      </div>
    </dialog>
  );
}

/** Waiting, said in words. */
export function Waiting({ children }: { children?: ComponentChildren }) {
  const { t } = useI18n();
  return (
    <p class="waiting" role="status">
      <span class="waiting-dot" aria-hidden="true" />
      {children ?? t("app.loading")}
    </p>
  );
}

/** Offers a blob or text made in the browser as a file. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 10_000);
}
