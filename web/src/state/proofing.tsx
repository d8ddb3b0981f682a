/** The proofing session of this browser: loaded once, then followed as the server moves it on. */
import { createContext, type ComponentChildren } from "preact";
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, asProblem, followProofing, type Problem } from "../api";
import { useI18n } from "../i18n";
import type { ProofingState, Route, View } from "../types";

export type Session =
  | { status: "loading" }
  | { status: "none" }
  | { status: "failed"; problem: Problem }
  | { status: "here"; view: View };

export interface Proofing {
  session: Session;
  /** Makes a call that answers with a view and shows it, unless a newer one came meanwhile. */
  act: (call: () => Promise<View>) => Promise<void>;
  /** Begins a new check; what is still said about a former one is no longer heard. */
  begin: (route: Route) => Promise<void>;
  /** Asks the server again. */
  reload: () => Promise<void>;
}

const Context = createContext<Proofing | null>(null);

/** States in which nothing happens any more. */
export function isFinal(state: ProofingState): boolean {
  return state === "done" || state === "refused" || state === "abandoned" || state === "expired";
}

/** Where each state's pages are; the first is the one to go to. */
export const pagesOf: Record<ProofingState, readonly [string, ...string[]]> = {
  consent: ["/prove/consent"],
  document: ["/prove/document"],
  face: ["/prove/face", "/prove/document"],
  counter: ["/counter", "/prove/document"],
  account: ["/prove/result", "/prove/passkey"],
  // The passkey page is left by itself once the code that it made can be shown.
  done: ["/me", "/prove/passkey", "/prove/recovery", "/prove/result"],
  refused: ["/prove/result"],
  abandoned: ["/prove/result"],
  expired: ["/prove/result"],
};

export function ProofingProvider({ children }: { children: ComponentChildren }) {
  const { lang } = useI18n();
  const [session, setSession] = useState<Session>({ status: "loading" });
  // Views come as answers and as events, on several connections: an answer, or a
  // refusal, that was overtaken is older than what is shown. shown counts.
  const shown = useRef(0);
  // One for each check begun in this page: events of a former one are not believed.
  const epoch = useRef(0);
  const [followed, setFollowed] = useState(0);

  const show = useCallback((next: Session) => {
    shown.current++;
    setSession(next);
  }, []);

  const act = useCallback(async (call: () => Promise<View>) => {
    const before = shown.current;
    const view = await call();
    if (shown.current === before) show({ status: "here", view });
  }, [show]);

  const begin = useCallback(async (route: Route) => {
    epoch.current++;
    try {
      show({ status: "here", view: await api.startProofing(route, lang) });
    } finally {
      setFollowed(epoch.current);
    }
  }, [lang, show]);

  const reload = useCallback(async () => {
    const before = shown.current;
    try {
      await act(api.proofing);
    } catch (thrown) {
      if (shown.current !== before) return;
      const problem = asProblem(thrown);
      show(problem.status === 404 || problem.code === "no_proofing" ? { status: "none" } : { status: "failed", problem });
    }
  }, [act, show]);

  useEffect(() => {
    void reload();
  }, [reload]);

  const following = session.status === "here" && !isFinal(session.view.state);
  useEffect(() => {
    if (!following) return undefined;
    const mine = epoch.current;
    const onView = (view: View) => {
      if (epoch.current !== mine) return;
      show({ status: "here", view });
    };
    return followProofing(onView, () => {
      if (epoch.current === mine) void reload();
    });
  }, [following, followed, reload, show]);

  const value = useMemo(() => ({ session, act, begin, reload }), [session, act, begin, reload]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useProofing(): Proofing {
  const value = useContext(Context);
  if (value === null) throw new Error("useProofing outside of ProofingProvider");
  return value;
}
