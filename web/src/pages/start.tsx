import { useState } from "preact/hooks";
import { asProblem, type Problem } from "../api";
import { useI18n } from "../i18n";
import { Link, navigate } from "../router";
import { useConfig } from "../state/config";
import { isFinal, pagesOf, useProofing } from "../state/proofing";
import type { Route } from "../types";
import { CounterDrawing, FaceDrawing, Icon, PassportDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { ProblemNotice } from "../ui/problem";

/** What one gets, what one needs, and two doors of the same size and weight. */
export function Start() {
  const { t, time } = useI18n();
  const config = useConfig();
  const { session, begin } = useProofing();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [going, setGoing] = useState<Route | null>(null);

  const go = (route: Route) => {
    if (going !== null) return;
    setGoing(route);
    setProblem(null);
    begin(route).then(
      () => { navigate("/prove/consent"); },
      (thrown: unknown) => {
        setProblem(asProblem(thrown));
        setGoing(null);
      },
    );
  };

  const running = session.status === "here" && !isFinal(session.view.state) ? session.view : null;
  const doors = [
    { route: "camera" as const, drawing: <FaceDrawing />, title: t("start.camera"), text: t("start.camera_text") },
    { route: "counter" as const, drawing: <CounterDrawing />, title: t("start.counter"), text: t("start.counter_text") },
  ];
  const kept = [
    { icon: "no" as const, text: t("start.kept_1") },
    { icon: "no" as const, text: t("start.kept_2") },
    { icon: "lock" as const, text: t("start.kept_3", { operator: config.operator.name }) },
    { icon: "lock" as const, text: t("start.kept_4") },
  ];
  return (
    <Page title={t("start.title")} drawing={<PassportDrawing />} wide hero>
      <div class="lead stack">
        <p>{t("start.lead")}</p>
        <p class="soft">{t("start.need")}</p>
      </div>
      {running !== null && (
        <section class="card resume" aria-labelledby="resume">
          <div>
            <h2 id="resume">{t("start.resume_title")}</h2>
            <p class="soft">{t("start.resume_text", { time: time(running.expires_at) })}</p>
          </div>
          <Link to={pagesOf[running.state][0]} class="button primary">{t("start.resume")}</Link>
        </section>
      )}
      <section class="stack" aria-labelledby="doors">
        <h2 id="doors">{t("start.choose")}</h2>
        {problem !== null && <ProblemNotice problem={problem} />}
        <div class="doors">
          {doors.map((door) => (
            <button
              key={door.route}
              type="button"
              class="door"
              aria-busy={going === door.route ? "true" : undefined}
              onClick={() => { go(door.route); }}
            >
              {door.drawing}
              <span class="door-title">{door.title}</span>{" "}
              <span class="door-text">{door.text}</span>
              <span class="door-go"><Icon name="arrow" /></span>
            </button>
          ))}
        </div>
      </section>
      <section class="stack kept" aria-labelledby="kept">
        <h2 id="kept">{t("start.kept")}</h2>
        <ul class="lines">
          {kept.map((line) => (
            <li key={line.text}><Icon name={line.icon} /><span>{line.text}</span></li>
          ))}
        </ul>
      </section>
      <p class="ways center">
        <span>{t("start.have_account")}</span>
        <Link to="/me">{t("start.open_me")}</Link>
        <Link to="/recover">{t("start.lost")}</Link>
      </p>
    </Page>
  );
}
