import type { Problem } from "../api";
import { useI18n } from "../i18n";
import { Notice } from "../ui/parts";

/** A problem in three sentences. The agent's way on is the page itself. */
export function AgentProblem({ problem }: { problem: Problem }) {
  const { code } = useI18n();
  const part = (suffix: ".what" | ".means" | ".do") => code("problem", problem.code, suffix, `problem.unknown${suffix}`);
  return (
    <Notice tone="bad" title={part(".what")}>
      <p>{part(".means")}</p>
      <p>{part(".do")}</p>
    </Notice>
  );
}
