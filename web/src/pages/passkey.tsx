import { useState } from "preact/hooks";
import { asProblem, type Problem } from "../api";
import { useI18n } from "../i18n";
import { remember } from "../remember";
import { navigate } from "../router";
import { keepRecoveryCode } from "../state/pending";
import { useProofing } from "../state/proofing";
import type { Stage } from "../state/vault";
import { KeyDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Proving, ProvingFoot } from "../ui/proving";
import { PasskeyForm } from "../ui/passkey-form";

export function Passkey() {
  const { t } = useI18n();
  const { update } = useProofing();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [stage, setStage] = useState<Stage | null>(null);
  const create = (name: string) => {
    setProblem(null);
    import("../state/vault").then(({ createAccount }) => createAccount(name, setStage)).then(
      ({ view, recoveryCode }) => {
        remember("recovery", "unconfirmed");
        keepRecoveryCode(recoveryCode);
        navigate("/prove/recovery", { replace: true });
        update(view);
      },
      (thrown: unknown) => {
        setStage(null);
        setProblem(asProblem(thrown));
      },
    );
  };
  return (
    <Proving title={t("passkey.title")} step={5}>
      {(view) => (
        <Page title={t("passkey.title")} step={5} back="/prove/result" drawing={<KeyDrawing />}>
          <p class="lead">{t("passkey.lead")}</p>
          <p>{t("passkey.why")}</p>
          <PasskeyForm stage={stage} problem={problem} onCreate={create} />
          <ProvingFoot view={view} counter={false} />
        </Page>
      )}
    </Proving>
  );
}
