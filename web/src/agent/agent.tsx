/** The agent's page: sign in, open a case by its code, decide, and nothing left after. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { signWithPasskey } from "../crypto/passkey";
import { useI18n } from "../i18n";
import type { AgentDecision, AgentSession, CaseView } from "../types";
import { CounterDrawing, KeyDrawing, PauseDrawing, YesDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Button, Waiting } from "../ui/parts";
import { CaseScreen } from "./case";
import { EnterCode } from "./enter-code";
import { AgentProblem } from "./problem";

type Place =
  | { at: "loading" }
  | { at: "out" }
  | { at: "ready" }
  | { at: "case"; case: CaseView; portrait: Blob | null }
  | { at: "done"; approved: boolean }
  | { at: "over" };

export function Agent() {
  const { t } = useI18n();
  const [session, setSession] = useState<AgentSession | null>(null);
  const [place, setPlace] = useState<Place>({ at: "loading" });
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const leave = useCallback(() => {
    setSession(null);
    setPlace({ at: "out" });
  }, []);

  /** Runs one step. Whoever is signed out in its course, by time or by the operator, sees nothing more. */
  const act = (step: () => Promise<void>) => {
    setProblem(null);
    setBusy(true);
    step().catch((thrown: unknown) => {
      const found = asProblem(thrown);
      if (found.code === "signed_out") leave();
      else setProblem(found);
    }).finally(() => { setBusy(false); });
  };
  const caseOver = useCallback(() => { setPlace({ at: "over" }); }, []);
  const enter = useCallback(async () => {
    setSession(await api.agentSession());
    setPlace({ at: "ready" });
  }, []);

  useEffect(() => {
    enter().catch((thrown: unknown) => {
      const found = asProblem(thrown);
      if (found.code !== "signed_out") setProblem(found);
      leave();
    });
  }, [enter, leave]);

  // A page kept by the browser for the way back shows nothing of a case.
  useEffect(() => {
    const clear = () => { leave(); };
    window.addEventListener("pagehide", clear);
    return () => { window.removeEventListener("pagehide", clear); };
  }, [leave]);

  // The screen is cleared when the session ends, even if nobody touches it.
  const idle = session?.idle_s;
  useEffect(() => {
    if (idle === undefined) return undefined;
    const timer = setTimeout(() => {
      leave();
      void api.agentSignOut().catch(() => undefined); // it may have ended by itself
    }, idle * 1000);
    return () => { clearTimeout(timer); };
  }, [idle, place, leave]);

  const signIn = () => {
    act(async () => {
      await api.agentSignIn(await signWithPasskey(await api.agentOptions()));
      await enter();
    });
  };
  const open = (code: string) => {
    act(async () => {
      const opened = await api.openCase(code);
      setPlace({ at: "case", case: opened, portrait: opened.portrait ? await api.casePortrait() : null });
    });
  };
  const putDown = () => {
    act(async () => {
      await api.releaseCase();
      await enter();
    });
  };
  const decide = (decision: AgentDecision) => {
    act(async () => {
      const { statement, options } = await api.decisionOptions(decision);
      await api.decide(statement, await signWithPasskey(options.publicKey));
      setPlace({ at: "done", approved: decision.approved });
    });
  };
  const signOut = () => {
    act(async () => {
      await api.agentSignOut();
      leave();
    });
  };

  if (place.at === "loading") return <Page title={t("agent.title")}><Waiting /></Page>;
  if (place.at === "out" || session === null) return <SignIn problem={problem} busy={busy} onSignIn={signIn} />;
  const foot = <Foot name={session.name} onSignOut={signOut} />;
  switch (place.at) {
    case "ready":
      return session.case_open
        ? <StillOpen problem={problem} busy={busy} onPutDown={putDown}>{foot}</StillOpen>
        : <EnterCode problem={problem} busy={busy} onOpen={open}>{foot}</EnterCode>;
    case "case":
      return (
        <CaseScreen session={session} view={place.case} portrait={place.portrait} problem={problem} busy={busy} onDecide={decide} onPutDown={putDown} onOver={caseOver} onSignedOut={leave}>
          {foot}
        </CaseScreen>
      );
    case "done":
      return <After title={t(place.approved ? "agent.done_yes" : "agent.done_no")} text={t("agent.hand_over")} good onNext={() => { act(enter); }}>{foot}</After>;
    case "over":
      return <After title={t("agent.over")} text={t("agent.over_text")} onNext={() => { act(enter); }}>{foot}</After>;
  }
}

function SignIn({ problem, busy, onSignIn }: { problem: Problem | null; busy: boolean; onSignIn: () => void }) {
  const { t } = useI18n();
  return (
    <Page key="out" title={t("agent.signin_title")} drawing={<KeyDrawing />}>
      <p class="lead">{t("agent.signin_lead")}</p>
      {problem !== null && <AgentProblem problem={problem} />}
      {busy && <Waiting>{t("agent.working")}</Waiting>}
      <div class="ways"><Button kind="primary" busy={busy} onClick={onSignIn}>{t("agent.signin")}</Button></div>
    </Page>
  );
}

interface StillOpenProps {
  problem: Problem | null;
  busy: boolean;
  onPutDown: () => void;
  children: preact.ComponentChildren;
}

function StillOpen({ problem, busy, onPutDown, children }: StillOpenProps) {
  const { t } = useI18n();
  return (
    <Page key="still" title={t("agent.still_open")} drawing={<PauseDrawing />}>
      <p class="lead">{t("agent.still_open_text")}</p>
      {problem !== null && <AgentProblem problem={problem} />}
      <div class="ways"><Button kind="primary" busy={busy} onClick={onPutDown}>{t("agent.put_down")}</Button></div>
      {children}
    </Page>
  );
}

interface AfterProps {
  title: string;
  text: string;
  good?: boolean;
  onNext: () => void;
  children: preact.ComponentChildren;
}

/** Between two persons: what was done, and nothing of whom. */
function After({ title, text, good = false, onNext, children }: AfterProps) {
  const { t } = useI18n();
  return (
    <Page key="after" title={title} drawing={good ? <YesDrawing /> : <CounterDrawing />}>
      <p class="lead" role="status">{text}</p>
      <div class="ways"><Button kind="primary" onClick={onNext}>{t("agent.next")}</Button></div>
      {children}
    </Page>
  );
}

function Foot({ name, onSignOut }: { name: string; onSignOut: () => void }) {
  const { t } = useI18n();
  return (
    <footer class="agent-foot ways spread">
      <span class="soft">{t("agent.signed_in", { name })}</span>
      <Button kind="quiet" onClick={onSignOut}>{t("agent.signout")}</Button>
    </footer>
  );
}
