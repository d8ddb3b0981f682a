import { useState } from "preact/hooks";
import type { Problem } from "../api";
import { useI18n } from "../i18n";
import type { Stage } from "../state/vault";
import { Button, Field, Waiting } from "./parts";
import { ProblemNotice } from "./problem";

const stages: Record<Stage, "passkey.working" | "passkey.second" | "passkey.sealing"> = {
  asking: "passkey.working", second: "passkey.second", sealing: "passkey.sealing",
};

interface Props {
  stage: Stage | null;
  problem: Problem | null;
  onCreate: (name: string) => void;
}

/** A name and a button: creates a passkey, here for the account and on My Ipse for a further device. */
export function PasskeyForm({ stage, problem, onCreate }: Props) {
  const { t } = useI18n();
  const [name, setName] = useState(() => t("passkey.name_default"));
  const [wrong, setWrong] = useState(false);
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const given = name.trim();
        setWrong(given === "");
        if (given !== "" && stage === null) onCreate(given);
      }}
    >
      <Field
        label={t("passkey.name")}
        hint={t("passkey.name_hint")}
        error={wrong ? t("passkey.name_missing") : undefined}
        value={name}
        onInput={setName}
        width="m"
        maxLength={60}
        autoComplete="off"
      />
      {problem !== null && <ProblemNotice problem={problem} />}
      {stage !== null && <Waiting>{t(stages[stage])}</Waiting>}
      <div class="ways"><Button type="submit" kind="primary" busy={stage !== null}>{t("passkey.create")}</Button></div>
    </form>
  );
}
