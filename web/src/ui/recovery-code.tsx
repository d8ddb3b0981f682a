import { useState } from "preact/hooks";
import { normaliseRecoveryCode } from "../crypto/recovery-code";
import { useI18n } from "../i18n";
import { today } from "../mrz";
import { useConfig } from "../state/config";
import { Button, Field, saveFile } from "./parts";

/** Shows a code that was just made, and is content when one group of it is typed back. */
export function RecoveryCode({ code, onConfirmed }: { code: string[]; onConfirmed: () => void }) {
  const { t, date } = useI18n();
  const config = useConfig();
  const [group] = useState(() => 1 + ((crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) % code.length));
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState(false);
  const explanation = t("recovery.file", { operator: config.operator.name, date: date(today()), address: `${location.origin}/recover` });
  const submit = () => {
    const right = normaliseRecoveryCode(typed) === code[group - 1];
    setWrong(!right);
    if (right) onConfirmed();
  };
  return (
    <div class="stack">
      <figure class="card recovery" data-testid="recovery-code">
        <figcaption class="label">{t("recovery.code")}</figcaption>
        <ol class="groups" translate={false}>
          {code.map((characters, i) => (
            <li key={characters + String(i)} aria-label={t("recovery.group", { group: i + 1, characters: characters.split("").join(" ") })}>
              <span class="group-number" aria-hidden="true">{i + 1}</span>
              <span class="group" aria-hidden="true">{characters}</span>
            </li>
          ))}
        </ol>
        <p class="print-only">{explanation}</p>
      </figure>
      <div class="ways no-print">
        <Button onClick={() => { window.print(); }}>{t("recovery.print")}</Button>
        <Button
          onClick={() => {
            saveFile("ipse-recovery-code.txt", new Blob([`${explanation}\n\n${code.join("-")}\n`], { type: "text/plain" }));
          }}
        >
          {t("recovery.save")}
        </Button>
      </div>
      <form
        class="stack no-print"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Field
          label={t("recovery.confirm", { group })}
          hint={t("recovery.confirm_hint")}
          error={wrong ? t("recovery.confirm_wrong", { group }) : undefined}
          value={typed}
          onInput={setTyped}
          mono
          width="s"
          maxLength={8}
          autoComplete="off"
        />
        <div class="ways"><Button type="submit" kind="primary">{t("recovery.done")}</Button></div>
      </form>
    </div>
  );
}
