import { useState } from "preact/hooks";
import { asProblem, type Problem } from "../api";
import { useI18n } from "../i18n";
import { navigate } from "../router";
import type { Outcome, ResultView, View } from "../types";
import { Icon, PauseDrawing, YesDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Button } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";
import { Proving, ProvingFoot, useBegin } from "../ui/proving";

export function Result() {
  const { t } = useI18n();
  return <Proving title={t("app.name")} step={4}>{(view) => (view.state === "account" || view.state === "done" ? <Accepted view={view} /> : <Ended view={view} />)}</Proving>;
}

function Accepted({ view }: { view: View }) {
  const { t } = useI18n();
  const level = view.result?.level;
  return (
    <Page title={t("result.title_accepted")} step={4} drawing={<YesDrawing />} hero>
      {level !== undefined && level !== "" && (
        <section class="card stack-s center">
          <p class="level" data-testid="level">{t("result.level", { level: t(`level.${level}`) })}</p>
          <p class="soft">{t(`level.${level}_text`)}</p>
        </section>
      )}
      <Checks result={view.result} />
      <p class="hint">{t("result.erased")}</p>
      {view.state === "account" && (
        <div class="ways"><Button kind="primary" onClick={() => { navigate("/prove/passkey"); }}>{t("result.to_passkey")}</Button></div>
      )}
      <ProvingFoot view={view} counter={false} />
    </Page>
  );
}

/** Refused, stopped or out of time: the kind of reason, what to try, the counter. */
function Ended({ view }: { view: View }) {
  const { t, code, time } = useI18n();
  const begin = useBegin();
  const [problem, setProblem] = useState<Problem | null>(null);
  const refused = view.state === "refused";
  const reason = view.result?.reason ?? "unknown";
  const act = (action: () => Promise<void>) => () => {
    setProblem(null);
    action().catch((thrown: unknown) => { setProblem(asProblem(thrown)); });
  };
  const other = view.route === "camera" ? "counter" : "camera";
  return (
    <Page title={t(refused ? "result.title_refused" : "result.title_abandoned")} drawing={<PauseDrawing />} {...(refused ? { step: 4 } : {})} hero>
      {refused ? (
        <div class="lead stack center" data-testid="reason">
          <p><strong>{code("reason", reason, ".what", "reason.unknown.what")}</strong></p>
          <p>{code("reason", reason, ".do", "reason.unknown.do")}</p>
          {view.result?.retry_at !== undefined && <p data-testid="retry-at">{t("result.retry_at", { time: time(view.result.retry_at) })}</p>}
        </div>
      ) : <p class="lead center">{t(view.state === "expired" ? "result.expired_text" : "result.abandoned_text")}</p>}
      {refused && <Checks result={view.result} />}
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="pair">
        <Button onClick={act(() => begin(view.route))}>{t("result.restart")}</Button>
        <Button onClick={act(() => begin(other))}>{t(other === "counter" ? "app.counter_instead" : "start.camera")}</Button>
      </div>
      {refused && <p class="hint center">{t("result.erased")}</p>}
    </Page>
  );
}

const icons: Record<Outcome, "yes" | "no" | "minus"> = { passed: "yes", failed: "no", not_offered: "minus", skipped: "minus" };

/** Each check, one line: a sign, what it says, and the outcome in words. */
function Checks({ result }: { result: ResultView | undefined }) {
  const { t, code } = useI18n();
  if (result === undefined || result.checks.length === 0) return null;
  return (
    <section class="stack" aria-labelledby="checks">
      <h2 id="checks">{t("result.checks")}</h2>
      <ul class="checks card">
        {result.checks.map((check) => (
          <li key={check.id} class={check.result}>
            <Icon name={icons[check.result]} />
            <span>{code("check", check.id, "", "check.other")}</span>
            <strong>{code("outcome", check.result, "", "outcome.skipped")}</strong>
          </li>
        ))}
      </ul>
    </section>
  );
}
