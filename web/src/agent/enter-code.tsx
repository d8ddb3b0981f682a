import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../api";
import { useI18n } from "../i18n";
import { CounterDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Button, CopyButton, Field } from "../ui/parts";
import { AgentProblem } from "./problem";

interface Props {
  problem: Problem | null;
  busy: boolean;
  onOpen: (code: string) => void;
  children: ComponentChildren;
}

/** Asks for the case code: there is no list of people here and no search. */
export function EnterCode({ problem, busy, onOpen, children }: Props) {
  const { t } = useI18n();
  const form = useRef<HTMLFormElement>(null);
  const [code, setCode] = useState("");
  const [tried, setTried] = useState(false);
  const complete = code.replace(/[\s-]/g, "").length === 8;
  const command = `ipse passport relay --server ${location.origin} --code 1234-5678 --reader pcsc`;
  useEffect(() => {
    form.current?.querySelector("input")?.focus();
  }, []);
  return (
    <Page key="ready" title={t("agent.ask")} drawing={<CounterDrawing />} focusWithin>
      <form
        ref={form}
        class="stack agent-large"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (complete && !busy) onOpen(code);
        }}
      >
        <Field
          label={t("agent.code")}
          hint={t("agent.code_hint")}
          error={tried && !complete ? t("agent.code_missing") : undefined}
          value={code}
          onInput={setCode}
          mono
          width="m"
          maxLength={12}
          autoComplete="off"
        />
        {problem !== null && <AgentProblem problem={problem} />}
        <div class="ways"><Button type="submit" kind="primary" busy={busy}>{t("agent.open")}</Button></div>
      </form>
      <details class="fold">
        <summary>{t("agent.no_code")}</summary>
        <div class="stack-s">
          <p>{t("agent.no_code_text")}</p>
          <p class="label">{t("agent.no_code_command")}</p>
          <div class="command">
            <code translate={false} tabIndex={0}>{command}</code>
            <CopyButton text={command} label={t("document.command_copy")} />
          </div>
        </div>
      </details>
      {children}
    </Page>
  );
}
