import { useEffect, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useI18n } from "../i18n";
import { useConfig } from "../state/config";
import { useProofing } from "../state/proofing";
import type { View } from "../types";
import { CounterDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Button, Waiting } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";
import { Proving, ProvingFoot, useBegin } from "../ui/proving";
import { useExpired } from "../ui/use-expired";

/** The route without a camera: what it is, where, and the code of the case. */
export function Counter() {
  const { t } = useI18n();
  const config = useConfig();
  const { session } = useProofing();
  const begin = useBegin();
  const [problem, setProblem] = useState<Problem | null>(null);
  const view = session.status === "here" ? session.view : null;
  // Once accepted, nothing tells the route: this page itself remembers where it was, and follows.
  const [waited, setWaited] = useState(false);
  const state = view?.state;
  useEffect(() => {
    if (state === "counter") setWaited(true);
  }, [state]);
  const atCounter = view !== null && (state === "counter" || state === "account" || waited);
  const title = t("counter.title");
  const { places } = config.counter;
  const body = (
    <>
      <div class="lead stack"><p>{t("counter.lead")}</p><p class="soft">{t("counter.same")}</p></div>
      {state === "counter" && <CaseCode counter={view?.counter ?? {}} />}
      <section class="stack" aria-labelledby="where">
        <h2 id="where">{t("counter.places")}</h2>
        {places.length === 0
          ? <p>{t("counter.no_places", { operator: config.operator.name, contact: config.operator.contact })}</p>
          : <ul class="plain-list">{places.map((place) => <li key={place}>{place}</li>)}</ul>}
        <p class="soft">{t("counter.bring")}</p>
      </section>
    </>
  );
  if (atCounter) {
    return (
      <Proving title={title} step={3}>
        {(current) => <Page title={title} step={3} back="/prove/document" drawing={<CounterDrawing />}>{body}<ProvingFoot view={current} counter={false} /></Page>}
      </Proving>
    );
  }
  return (
    <Page title={title} back="/" drawing={<CounterDrawing />}>
      {body}
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="ways">
        <Button kind="primary" onClick={() => { begin("counter").catch((thrown: unknown) => { setProblem(asProblem(thrown)); }); }}>{t("counter.start")}</Button>
      </div>
    </Page>
  );
}

/** The code of the case: until when it is valid, whether the agent has used it, and another one. */
function CaseCode({ counter }: { counter: NonNullable<View["counter"]> }) {
  const { t, time } = useI18n();
  const { act } = useProofing();
  const [problem, setProblem] = useState<Problem | null>(null);
  const { case_code: code = "", expires_at: expires = "", opened = false } = counter;
  const expired = useExpired(expires);
  const renew = () => {
    setProblem(null);
    act(api.newCaseCode).catch((thrown: unknown) => { setProblem(asProblem(thrown)); });
  };
  return (
    <section class="card stack center" aria-labelledby="case">
      <h2 id="case">{t("counter.case")}</h2>
      {code === "" && <Waiting>{t("counter.case_wait")}</Waiting>}
      {code !== "" && expired && <p class="error" role="status">{t("counter.expired")}</p>}
      {code !== "" && !expired && opened && <p class="waiting" role="status"><span class="waiting-dot" aria-hidden="true" />{t("counter.opened")}</p>}
      {code !== "" && !expired && !opened && (
        <>
          <p class="big-code" translate={false} data-testid="case-code">{code}</p>
          <p>{t("counter.case_text")}</p>
          {expires !== "" && <p class="hint">{t("counter.until", { time: time(expires) })}</p>}
        </>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      {(expired || !opened) && <div class="ways center"><Button kind={expired ? "secondary" : "quiet"} onClick={renew}>{t("counter.new")}</Button></div>}
      <p class="hint">{t("counter.waiting")}</p>
    </section>
  );
}
