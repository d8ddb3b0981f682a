import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useI18n } from "../i18n";
import { checkMrz, fullDate, mrzPreview, normaliseNumber, numberCheckDigit, partialDate, validBirth, validDate, validNumber } from "../mrz";
import { takeLostFocus } from "../router";
import { useProofing } from "../state/proofing";
import { DateField } from "../ui/date-field";
import { Button, Choice, Field, Notice } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";

type Way = "mrz" | "can";

/** What is typed to open the chip. */
export interface Access {
  way: Way;
  number: string;
  /** As typed: fullDate makes a date of it. */
  birth: string;
  /** The document leaves out the day of birth, or day and month. */
  partial: boolean;
  expiry: string;
  can: string;
}

export const emptyAccess: Access = { way: "mrz", number: "", birth: "", partial: false, expiry: "", can: "" };

interface Props {
  access: Access;
  setAccess: (access: Access) => void;
  /** Whether the reader is there. */
  ready: boolean;
}

type FieldName = "number" | "birth" | "expiry" | "can";

/** What opens the chip: number and dates, or the CAN; checked as one types. */
export function AccessForm({ access, setAccess, ready }: Props) {
  const { t, tn } = useI18n();
  const { act } = useProofing();
  const form = useRef<HTMLFormElement>(null);
  const { way, number, can } = access;
  const birth = access.partial ? partialDate(access.birth) : fullDate(access.birth);
  const expiry = fullDate(access.expiry);
  const set = (name: FieldName) => (value: string) => {
    setAccess({ ...access, [name]: value });
  };
  // A field complains only after one has left it or has tried to go on.
  const [left, setLeft] = useState<ReadonlySet<FieldName>>(new Set());
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    takeLostFocus(form.current);
  }, []);

  const wrong = checkMrz({ number, birth, expiry });
  const canWrong = !/^\d{6}$/.test(can.trim());
  const count = way === "can" ? Number(canWrong) : Object.keys(wrong).length;
  const show = (name: FieldName, message: string | undefined) => (left.has(name) ? message : undefined);
  const leave = (name: FieldName) => () => {
    setLeft((before) => new Set(before).add(name));
  };
  const errorOf = (name: "number" | "birth" | "expiry") => {
    const error = wrong[name];
    return show(name, error === undefined ? undefined : t(`document.err_${error}`));
  };

  const submit = () => {
    setProblem(null);
    setLeft(new Set(["number", "birth", "expiry", "can"]));
    if (count > 0) {
      setTimeout(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      return;
    }
    if (!ready || busy) return;
    setBusy(true);
    const keys = way === "can" ? { can: can.trim() } : { mrz: { document_number: normaliseNumber(number), birth_date: birth, expiry_date: expiry } };
    act(() => api.readDocument(keys)).catch((thrown: unknown) => { setProblem(asProblem(thrown)); }).finally(() => { setBusy(false); });
  };

  const normalised = normaliseNumber(number);
  const numberNote = validNumber(normalised) && normalised.length <= 9 ? t("document.check_digit", { digit: numberCheckDigit(normalised) }) : "";
  return (
    <form
      ref={form}
      tabIndex={-1}
      class="stack card"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Choice<Way>
        legend={t("document.which")}
        value={way}
        onChange={(chosen) => { setAccess({ ...access, way: chosen }); }}
        options={[{ value: "mrz", label: t("document.by_mrz") }, { value: "can", label: t("document.by_can") }]}
      />
      {way === "mrz" ? (
        <>
          <p class="hint">{t("document.where_mrz")}</p>
          <Field
            label={t("document.number")}
            hint={t("document.number_hint", { example: "L898902C3" })}
            error={errorOf("number")}
            value={number}
            onInput={set("number")}
            onBlur={leave("number")}
            mono
            width="m"
            maxLength={30}
            autoComplete="off"
            note={<>
              {numberNote}
              {normalised.includes("O") && <span class="block">{t("document.err_letter_o")}</span>}
            </>}
          />
          <div class="field-row">
            <DateField label={t("document.birth")} error={errorOf("birth")} value={access.birth} onInput={set("birth")} onBlur={leave("birth")} birthday />
            <DateField label={t("document.expiry")} error={errorOf("expiry")} value={access.expiry} onInput={set("expiry")} onBlur={leave("expiry")} />
          </div>
          <label class="tick-card">
            <input type="checkbox" checked={access.partial} onChange={(event) => { setAccess({ ...access, partial: event.currentTarget.checked }); }} />
            <span>{t("document.partial")}</span>
          </label>
          {validNumber(normalised) && validBirth(birth) && validDate(expiry) && <Preview number={number} birth={birth} expiry={expiry} />}
        </>
      ) : (
        <Field
          label={t("document.can")}
          hint={t("document.can_hint", { example: "123456" })}
          error={show("can", canWrong ? t("document.err_can") : undefined)}
          value={can}
          onInput={set("can")}
          onBlur={leave("can")}
          mono
          width="s"
          maxLength={6}
          inputMode="numeric"
          autoComplete="off"
        />
      )}
      {count > 0 && left.size === 4 && <Notice tone="bad"><p>{tn("document.err_summary", count)}</p></Notice>}
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="ways">
        <Button type="submit" kind="primary" off={!ready} busy={busy} {...(ready ? {} : { describedBy: "read-wait" })}>{t("document.read")}</Button>
      </div>
      {!ready && <p class="hint" id="read-wait">{t("document.read_wait")}</p>}
    </form>
  );
}

/** The answers as the document shows them, so that one can lay one beside the other. */
function Preview({ number, birth, expiry }: { number: string; birth: string; expiry: string }) {
  const { t } = useI18n();
  return (
    <figure class="mrz">
      <figcaption class="hint">{t("document.line")}</figcaption>
      <p class="mrz-line" translate={false}>
        {mrzPreview(number, birth, expiry).map((part, i) => (
          <span key={i}>{part.value}<strong>{part.digit}</strong></span>
        ))}
      </p>
    </figure>
  );
}
