import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useI18n } from "../i18n";
import { navigate } from "../router";
import { useProofing } from "../state/proofing";
import type { ConsentView, View } from "../types";
import { Page } from "../ui/page";
import { Button } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";
import { Proving, ProvingFoot } from "../ui/proving";

export function Consent() {
  const { t } = useI18n();
  return <Proving title={t("consent.title")} step={1}>{(view) => <Agree view={view} />}</Proving>;
}

function Agree({ view }: { view: View }) {
  const { t } = useI18n();
  const { act } = useProofing();
  const [agreed, setAgreed] = useState(false);
  const [missing, setMissing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const consent = view.consent;
  const title = consent?.text?.title ?? t("consent.title");

  const submit = () => {
    if (consent === undefined) return;
    setMissing(!agreed);
    if (!agreed || busy) return;
    setBusy(true);
    setProblem(null);
    act(() => api.consent(consent.id)).catch((thrown: unknown) => {
      setProblem(asProblem(thrown));
      setBusy(false);
    });
  };
  const refuse = () => {
    act(api.abandon).catch(() => undefined).finally(() => { navigate("/"); });
  };

  return (
    <Page title={title} step={1} back="/">
      <p class="lead">{t("consent.lead")}</p>
      {consent !== undefined && (
        <>
          {consent.text !== undefined && (
            <article class="card letter stack" lang={consent.text.language}>
              {consent.text.paragraphs.map((paragraph) => <Paragraph key={paragraph} text={paragraph} />)}
            </article>
          )}
          <Record consent={consent} />
          <form
            class="stack"
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              submit();
            }}
          >
            <div class={`tick ${missing ? "wrong" : ""}`}>
              {missing && <p class="error" id="tick-missing">{t("consent.tick_missing")}</p>}
              <label class="tick-card">
                <input
                  type="checkbox"
                  checked={agreed}
                  aria-invalid={missing ? "true" : undefined}
                  aria-describedby={missing ? "tick-missing" : undefined}
                  onChange={(event) => {
                    setAgreed(event.currentTarget.checked);
                    setMissing(false);
                  }}
                />
                <span>{t("consent.tick")}</span>
              </label>
            </div>
            {problem !== null && <ProblemNotice problem={problem} />}
            <div class="pair">
              <Button type="submit" kind="secondary" busy={busy}>{t("consent.agree")}</Button>
              <Button onClick={refuse}>{t("consent.refuse")}</Button>
            </div>
            <p class="hint">{t("consent.receipt_note")}</p>
          </form>
        </>
      )}
      <ProvingFoot view={view} />
    </Page>
  );
}

/** A paragraph exactly as signed; a short first sentence stands out as its heading. */
function Paragraph({ text }: { text: string }) {
  const heading = /^[^.]{3,40}\.(?= )/.exec(text)?.[0];
  return heading === undefined ? <p>{text}</p> : <p><strong>{heading}</strong>{text.slice(heading.length)}</p>;
}

/** The members of the receipt, in words. */
function Record({ consent }: { consent: ConsentView }) {
  const { t, code, time } = useI18n();
  const operator = typeof consent.operator === "string" ? consent.operator : consent.operator.name;
  const bases = typeof consent.legal_basis === "string" ? [consent.legal_basis] : consent.legal_basis;
  // A code has a sentence here; an operator's own words are shown as they are.
  const say = (prefix: string, value: string) => {
    const words = code(prefix, value, "", "problem.title");
    return words === t("problem.title") ? value : words;
  };
  const list = (prefix: string, codes: string[]) => (
    <ul class="plain-list">{codes.map((c) => <li key={c}>{say(prefix, c)}</li>)}</ul>
  );
  return (
    <details class="record">
      <summary>{t("consent.record")}</summary>
      <dl class="facts">
        <div><dt>{t("consent.operator")}</dt><dd>{operator}</dd></div>
        <div><dt>{t("consent.purpose")}</dt><dd>{say("purpose", consent.purpose)}</dd></div>
        <div><dt>{t("consent.data")}</dt><dd>{list("data", consent.data)}</dd></div>
        <div><dt>{t("consent.legal")}</dt><dd>{list("legal", bases)}</dd></div>
        <div><dt>{t("consent.retention")}</dt><dd>{list("retention", consent.retention)}</dd></div>
        <div><dt>{t("consent.withdraw")}</dt><dd>{say("withdraw", consent.withdraw)}</dd></div>
        <div><dt>{t("consent.ends")}</dt><dd>{t("consent.ends_value", { time: time(consent.ends) })}</dd></div>
      </dl>
      <p class="hint">{t("consent.version", { version: consent.version })}</p>
      <p class="hint fingerprint">{t("consent.fingerprint", { hash: consent.text_sha256 })}</p>
    </details>
  );
}
