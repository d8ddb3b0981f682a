import { useState } from "preact/hooks";
import { asProblem, type Problem } from "../api";
import { useI18n } from "../i18n";
import { useConfig } from "../state/config";
import { useProofing } from "../state/proofing";
import { CounterDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Button, Waiting } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";
import { Proving, ProvingFoot, useCounterInstead } from "../ui/proving";

/** The route without a camera: what it is, where, and the code of the case. */
export function Counter() {
  const { t } = useI18n();
  const config = useConfig();
  const { session } = useProofing();
  const begin = useCounterInstead();
  const [problem, setProblem] = useState<Problem | null>(null);
  const view = session.status === "here" && session.view.route === "counter" ? session.view : null;
  const atCounter = view !== null && (view.state === "counter" || view.state === "account");
  const title = t("counter.title");
  const { places } = config.counter;
  const body = (
    <>
      <div class="lead stack"><p>{t("counter.lead")}</p><p class="soft">{t("counter.same")}</p></div>
      {atCounter && (
        <section class="card stack center" aria-labelledby="case">
          <h2 id="case">{t("counter.case")}</h2>
          {view.counter?.case_code === undefined || view.counter.case_code === ""
            ? <Waiting>{t("counter.case_wait")}</Waiting>
            : <><p class="big-code" translate={false} data-testid="case-code">{view.counter.case_code}</p><p>{t("counter.case_text")}</p></>}
          <p class="hint">{t("counter.waiting")}</p>
        </section>
      )}
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
        <Button kind="primary" onClick={() => { begin().catch((thrown: unknown) => { setProblem(asProblem(thrown)); }); }}>{t("counter.start")}</Button>
      </div>
    </Page>
  );
}
