/** What every page of a running proofing shares: the right place, the ways out, the receipt. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, asProblem, Problem } from "../api";
import { useI18n } from "../i18n";
import { navigate, usePath } from "../router";
import { isFinal, pagesOf, useProofing } from "../state/proofing";
import type { Route, View } from "../types";
import { Page } from "./page";
import { Button, Dialog, Waiting, saveFile } from "./parts";
import { ProblemNotice } from "./problem";
import { useExpired } from "./use-expired";

interface GuardProps {
  title: string;
  step?: number;
  children: (view: View) => ComponentChildren;
}

/** Shows the page while the session is there, and goes to where the session stands otherwise. */
export function Proving({ title, step, children }: GuardProps) {
  const { session, reload } = useProofing();
  const path = usePath();
  const place = step === undefined ? {} : { step };
  const target = session.status === "here" && !pagesOf[session.view.state].includes(path) ? pagesOf[session.view.state][0] : null;
  useEffect(() => {
    if (target !== null) navigate(target, { replace: true });
  }, [target]);
  if (session.status === "loading" || target !== null) return <Page title={title} {...place}><Waiting /></Page>;
  if (session.status === "here") return <>{children(session.view)}</>;
  const problem = session.status === "failed" ? session.problem : new Problem("no_proofing");
  return (
    <Page title={title} {...place}>
      <ProblemNotice problem={problem} onRetry={session.status === "failed" ? () => void reload() : undefined} />
    </Page>
  );
}

/** Stops the session and begins one on a route. */
export function useBegin(): (route: Route) => Promise<void> {
  const { begin } = useProofing();
  return async (route) => {
    await api.abandon().catch(() => undefined); // it may have ended by itself
    await begin(route);
    navigate("/prove/consent");
  };
}

/** How long before the end of a session a person is told so, in milliseconds. */
const soon = 5 * 60_000;

/** When the session ends; said aloud when little time is left (WCAG 2.2 §2.2.1: its end is essential, it is that of the consent). */
function EndsAt({ view }: { view: View }) {
  const { t, time } = useI18n();
  const near = useExpired(new Date(Date.parse(view.expires_at) - soon).toISOString());
  return (
    <div role="status">
      {near
        ? <p><strong>{t("app.ends_soon", { time: time(view.expires_at) })}</strong> {t("app.ends_soon_text")}</p>
        : <p class="hint">{t("app.ends_at", { time: time(view.expires_at) })}</p>}
    </div>
  );
}

/** Stop, counter, receipt and the end of the session: at the foot of every step. */
export function ProvingFoot({ view, counter = true, live = false }: { view: View; counter?: boolean; live?: boolean }) {
  const { t } = useI18n();
  const { act: follow } = useProofing();
  const begin = useBegin();
  const [asking, setAsking] = useState<"stop" | "counter" | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const act = (action: () => Promise<void>) => {
    setAsking(null);
    setProblem(null);
    action().catch((thrown: unknown) => {
      setProblem(asProblem(thrown));
    });
  };
  if (isFinal(view.state)) return null;
  return (
    <footer class={live ? "proving-foot live" : "proving-foot"}>
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="ways">
        {counter && view.route === "camera" && <Button kind="quiet" onClick={() => { setAsking("counter"); }}>{t("app.counter_instead")}</Button>}
        {view.state !== "consent" && !live && <ReceiptButton />}
        <Button kind="quiet" onClick={() => { setAsking("stop"); }}>{t("app.stop")}</Button>
      </div>
      {!live && <EndsAt view={view} />}
      {asking === "stop" && (
        <Dialog
          title={t("app.stop_title")}
          yes={t("app.stop")}
          no={t("app.stop_keep")}
          onNo={() => { setAsking(null); }}
          onYes={() => { act(async () => { await follow(api.abandon); navigate("/prove/result"); }); }}
        >
          <p>{t("app.stop_text")}</p>
        </Dialog>
      )}
      {asking === "counter" && (
        <Dialog
          title={t("app.counter_title")}
          yes={t("app.counter_yes")}
          no={t("app.stop_keep")}
          onNo={() => { setAsking(null); }}
          onYes={() => { act(() => begin("counter")); }}
        >
          <p>{t("app.counter_text")}</p>
        </Dialog>
      )}
    </footer>
  );
}

/** Saves the signed consent receipt as a file. */
export function ReceiptButton() {
  const { t } = useI18n();
  const [problem, setProblem] = useState<Problem | null>(null);
  return (
    <>
      <Button
        kind="quiet"
        onClick={() => {
          setProblem(null);
          api.receipt().then(
            (receipt) => { saveFile("ipse-consent-receipt.json", receipt); },
            (thrown: unknown) => { setProblem(asProblem(thrown)); },
          );
        }}
      >
        {t("consent.save")}
      </Button>
      {problem !== null && <ProblemNotice problem={problem} />}
    </>
  );
}
