/** A problem in three sentences (what happened, what it means, what to do) and at least two ways on. */
import type { ComponentChildren } from "preact";
import type { Problem } from "../api";
import { useI18n } from "../i18n";
import { Link } from "../router";
import { Button, Notice } from "./parts";

interface Props {
  problem: Problem;
  /** Trying again, where that can help. */
  onRetry?: (() => void) | undefined;
  children?: ComponentChildren;
}

const waysOn: Record<string, "account" | "counter" | "recover" | "check"> = {
  no_proofing: "account",
  signed_out: "account",
  passkey_needed: "account",
  passkey_refused: "recover",
  vault_damaged: "recover",
  no_wrap: "recover",
  recovery_refused: "account",
  presentation_refused: "check",
  level_too_low: "check",
  prf_unsupported: "counter",
  passkey_unsupported: "counter",
  too_many_passkeys: "account",
  attempts_exhausted: "counter",
  unavailable: "counter",
  cookies_off: "counter",
  wrong_state: "check",
};

export function ProblemNotice({ problem, onRetry, children }: Props) {
  const { t, code } = useI18n();
  const part = (suffix: ".what" | ".means" | ".do") => code("problem", problem.code, suffix, `problem.unknown${suffix}`);
  const way = waysOn[problem.code];
  return (
    <Notice tone="bad" title={part(".what")}>
      <p>{part(".means")}</p>
      <p>{part(".do").replace("{code}", problem.code)}</p>
      <div class="ways">
        {onRetry !== undefined && <Button onClick={onRetry}>{t("app.again")}</Button>}
        {children}
        {way === "account" && <Link to="/me">{t("start.open_me")}</Link>}
        {way === "recover" && <Link to="/recover">{t("start.lost")}</Link>}
        {way === "counter" && <Link to="/counter">{t("app.counter_instead")}</Link>}
        {way === "check" && <Link to="/prove">{t("me.prove")}</Link>}
        <Link to="/">{t("app.home")}</Link>
      </div>
    </Notice>
  );
}
