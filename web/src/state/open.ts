/** The opened vault of this page, shared by My Ipse and the login page; null is locked. */
import { useCallback, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { openVault, signInAndOpen, type OpenVault } from "./vault";

export interface Lock {
  vault: OpenVault | null;
  opening: boolean;
  problem: Problem | null;
  /** Asks for the passkey and opens; onOpen is told before the page shows it. */
  open: (onOpen?: (vault: OpenVault) => void) => void;
  /** Reads the account again and opens what is new. */
  refresh: () => Promise<void>;
  adopt: (vault: OpenVault) => void;
  lock: () => void;
}

// Kept while the person moves between pages of one visit.
const kept: { vault: OpenVault | null } = { vault: null };

export function useLock(): Lock {
  const [vault, setVault] = useState<OpenVault | null>(kept.vault);
  const [opening, setOpening] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const adopt = useCallback((next: OpenVault) => {
    kept.vault = next;
    setVault(next);
  }, []);
  const lock = useCallback(() => {
    kept.vault?.seed.fill(0);
    kept.vault = null;
    setVault(null);
  }, []);
  const open = useCallback((onOpen?: (vault: OpenVault) => void) => {
    setProblem(null);
    setOpening(true);
    signInAndOpen().then((opened) => {
      onOpen?.(opened);
      adopt(opened);
    }, (thrown: unknown) => { setProblem(asProblem(thrown)); }).finally(() => { setOpening(false); });
  }, [adopt]);
  const refresh = useCallback(async () => {
    if (kept.vault === null) return;
    adopt(await openVault(await api.account(), kept.vault.seed));
  }, [adopt]);
  return { vault, opening, problem, open, refresh, adopt, lock };
}
