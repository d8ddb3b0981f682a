import { useState } from "preact/hooks";
import { asProblem, type Problem } from "../api";
import { parseRecoveryCode } from "../crypto/recovery-code";
import { useI18n } from "../i18n";
import { Link, navigate } from "../router";
import { useLock } from "../state/open";
import { addPasskey, recoverAndOpen, type OpenVault, type Stage } from "../state/vault";
import { PaperDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Button, Field } from "../ui/parts";
import { PasskeyForm } from "../ui/passkey-form";
import { ProblemNotice } from "../ui/problem";

/** The recovery code instead of a passkey, and then a new passkey. */
export function Recover() {
  const { t } = useI18n();
  const lock = useLock();
  const [vault, setVault] = useState<OpenVault | null>(null);
  const [stage, setStage] = useState<Stage | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  if (vault === null) return <TypeCode onOpen={setVault} />;
  const create = (name: string) => {
    setProblem(null);
    addPasskey(vault, name, setStage).then(() => {
      vault.seed.fill(0);
      lock.lock();
      navigate("/me");
    }, (thrown: unknown) => {
      setStage(null);
      setProblem(asProblem(thrown));
    });
  };
  return (
    <Page title={t("recover.opened")} drawing={<PaperDrawing />}>
      <p class="lead">{t("recover.opened_text")}</p>
      <PasskeyForm stage={stage} problem={problem} onCreate={create} />
    </Page>
  );
}

function TypeCode({ onOpen }: { onOpen: (vault: OpenVault) => void }) {
  const { t } = useI18n();
  const [typed, setTyped] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const parsed = parseRecoveryCode(typed);
  const error = !tried || parsed.ok ? undefined
    : parsed.why === "length" ? t("recover.code_bad", { count: parsed.count }) : t("recover.code_typo", { characters: parsed.characters });
  const submit = () => {
    setTried(true);
    setProblem(null);
    if (!parsed.ok || busy) return;
    setBusy(true);
    recoverAndOpen(parsed.secret).then(onOpen, (thrown: unknown) => {
      setProblem(asProblem(thrown));
      setBusy(false);
    });
  };
  return (
    <Page title={t("recover.title")} back="/me" drawing={<PaperDrawing />}>
      <p class="lead">{t("recover.lead")}</p>
      <form
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Field label={t("recover.code")} hint={t("recover.code_hint")} error={error} value={typed} onInput={setTyped} mono autoComplete="off" maxLength={60} />
        {problem !== null && <ProblemNotice problem={problem} />}
        <div class="ways"><Button type="submit" kind="primary" busy={busy}>{t("recover.open")}</Button></div>
      </form>
      <section class="stack" aria-labelledby="neither">
        <h2 id="neither">{t("recover.neither_title")}</h2>
        <p class="soft">{t("recover.neither")}</p>
        <p class="ways"><Link to="/">{t("app.home")}</Link><Link to="/counter">{t("start.counter")}</Link></p>
      </section>
    </Page>
  );
}
