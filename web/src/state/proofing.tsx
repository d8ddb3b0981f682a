/** The proofing session of this browser: loaded once, then followed as the server moves it on. */
import { createContext, type ComponentChildren } from "preact";
import { useCallback, useContext, useEffect, useMemo, useState } from "preact/hooks";
import { api, asProblem, followProofing, type Problem } from "../api";
import type { ProofingState, View } from "../types";

export type Session =
  | { status: "loading" }
  | { status: "none" }
  | { status: "failed"; problem: Problem }
  | { status: "here"; view: View };

export interface Proofing {
  session: Session;
  /** Takes over a view that a call has answered with. */
  update: (view: View) => void;
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
  done: ["/me", "/prove/recovery", "/prove/result"],
  refused: ["/prove/result"],
  abandoned: ["/prove/result"],
  expired: ["/prove/result"],
};

export function ProofingProvider({ children }: { children: ComponentChildren }) {
  const [session, setSession] = useState<Session>({ status: "loading" });

  const update = useCallback((view: View) => {
    setSession({ status: "here", view });
  }, []);

  const reload = useCallback(async () => {
    try {
      setSession({ status: "here", view: await api.proofing() });
    } catch (thrown) {
      const problem = asProblem(thrown);
      setSession(problem.status === 404 || problem.code === "no_proofing" ? { status: "none" } : { status: "failed", problem });
    }
  }, []);

  useEffect(() => {
    void reload();
  }, [reload]);

  const following = session.status === "here" && !isFinal(session.view.state);
  useEffect(() => {
    if (!following) return undefined;
    return followProofing(update, () => {
      void reload();
    });
  }, [following, update, reload]);

  const value = useMemo(() => ({ session, update, reload }), [session, update, reload]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useProofing(): Proofing {
  const value = useContext(Context);
  if (value === null) throw new Error("useProofing outside of ProofingProvider");
  return value;
}
