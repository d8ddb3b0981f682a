import type { ComponentChildren } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useI18n } from "../i18n";
import type { AgentDecision, AgentSession, CaseView } from "../types";
import { attributeLabel, attributeValue } from "../ui/attributes";
import { Page } from "../ui/page";
import { Button, Choice, Notice, Waiting } from "../ui/parts";
import { useExpired } from "../ui/use-expired";
import { AgentProblem } from "./problem";

interface Props {
  session: AgentSession;
  view: CaseView;
  portrait: Blob | null;
  problem: Problem | null;
  busy: boolean;
  onDecide: (decision: AgentDecision) => void;
  onPutDown: () => void;
  /** The case is no longer there: the person ended it, its time is over, or somebody else is signed in. */
  onOver: () => void;
  /** The agent is no longer signed in. */
  onSignedOut: () => void;
  children: ComponentChildren;
}

/** How often the page asks whether its case is still there, in milliseconds. */
const askEvery = 2000;

/** Watches over a case, so that nothing of a person who stopped stays on the agent's screen. */
function useCaseGone(onOver: () => void, onSignedOut: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let left = false;
    const ask = () => {
      api.caseStillOpen().then(() => "", (thrown: unknown) => asProblem(thrown).code).then((code) => {
        if (left) return;
        if (code === "case_unknown") onOver();
        else if (code === "signed_out") onSignedOut();
        else timer = setTimeout(ask, askEvery); // open, or the server is away for a moment
      }).catch(() => undefined);
    };
    timer = setTimeout(ask, askEvery);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [onOver, onSignedOut]);
}

/** One case on one screen: the portrait and what the document says beside the checklist and the decision. */
export function CaseScreen({ session, view, portrait, problem, busy, onDecide, onPutDown, onOver, onSignedOut, children }: Props) {
  const { t, time } = useI18n();
  const over = useExpired(view.expires_at);
  useEffect(() => {
    if (over) onOver();
  }, [over, onOver]);
  useCaseGone(onOver, onSignedOut);
  return (
    <Page key="case" title={t("agent.look")} wide>
      <div class="agent-case">
        <div class="stack">
          {portrait === null ? <Notice tone="info"><p>{t("agent.no_portrait")}</p></Notice> : <Portrait picture={portrait} />}
          <Facts view={view} />
        </div>
        <div class="stack">
          <Decision session={session} busy={busy} problem={problem} onDecide={onDecide} />
          <div class="ways"><Button kind="quiet" off={busy} onClick={onPutDown}>{t("agent.put_down")}</Button></div>
          <p class="hint">{t("agent.until", { time: time(view.expires_at) })}</p>
        </div>
      </div>
      {children}
    </Page>
  );
}

/** Shows a picture from memory; its address is gone once it is drawn, and the picture with the screen. */
function Portrait({ picture }: { picture: Blob }) {
  const { t } = useI18n();
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(picture);
    setUrl(made);
    return () => { URL.revokeObjectURL(made); };
  }, [picture]);
  return (
    <figure class="agent-portrait">
      {url !== null && <img src={url} alt={t("agent.portrait")} onLoad={() => { URL.revokeObjectURL(url); }} />}
      <figcaption class="hint" aria-hidden="true">{t("agent.portrait")}</figcaption>
    </figure>
  );
}

const facts = ["family_name", "given_name", "birthdate", "document_number", "document_issuer", "document_expiry"] as const;

function Facts({ view }: { view: CaseView }) {
  const i18n = useI18n();
  return (
    <dl class="facts agent-facts">
      {facts.filter((name) => view[name] !== "").map((name) => (
        <div key={name}><dt>{attributeLabel(i18n, name)}</dt><dd translate={false}>{attributeValue(i18n, name, view[name])}</dd></div>
      ))}
    </dl>
  );
}

type Answer = "" | "yes" | "no";

function Decision({ session, busy, problem, onDecide }: Pick<Props, "session" | "busy" | "problem" | "onDecide">) {
  const { t, code } = useI18n();
  const [items, setItems] = useState<string[]>([]);
  const [answer, setAnswer] = useState<Answer>("");
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const error = useId();
  const missing = answer === "" ? t("agent.decision_missing")
    : answer === "yes" && items.length < session.checklist.length ? t("agent.items_missing")
      : answer === "no" && reason === "" ? t("agent.why_missing") : null;
  const submit = () => {
    setTried(true);
    if (missing !== null || busy) return;
    onDecide({ approved: answer === "yes", checklist: items, reason: answer === "no" ? reason : "" });
  };
  return (
    <form
      class="stack agent-large"
      noValidate
      aria-describedby={tried && missing !== null ? error : undefined}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <fieldset class="choice">
        <legend>{t("agent.confirm")}</legend>
        <div class="stack-s">
          {session.checklist.map((item) => (
            <label key={item} class="tick-card">
              <input
                type="checkbox"
                checked={items.includes(item)}
                onChange={(event) => {
                  const { checked } = event.currentTarget;
                  setItems((before) => session.checklist.filter((i) => (i === item ? checked : before.includes(i))));
                }}
              />
              <span>{code("agent.item", item, "", "agent.confirm")}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <Choice<Answer>
        legend={t("agent.decision")}
        value={answer}
        onChange={setAnswer}
        options={[{ value: "yes", label: t("agent.yes"), text: t("agent.yes_text") }, { value: "no", label: t("agent.no"), text: t("agent.no_text") }]}
      />
      {answer === "no" && (
        <Choice<string>
          legend={t("agent.why")}
          value={reason}
          onChange={setReason}
          options={session.reasons.map((r) => ({ value: r, label: code("agent.why", r, "", "agent.why") }))}
        />
      )}
      {tried && missing !== null && <p class="error" id={error} role="alert">{missing}</p>}
      {problem !== null && <AgentProblem problem={problem} />}
      {busy && <Waiting>{t("agent.working")}</Waiting>}
      <div class="ways"><Button type="submit" kind="primary" busy={busy}>{t("agent.sign")}</Button></div>
    </form>
  );
}
