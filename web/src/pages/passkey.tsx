import { useEffect, useState } from "preact/hooks";
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
  const { session, act } = useProofing();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [stage, setStage] = useState<Stage | null>(null);
  const create = (name: string) => {
    setProblem(null);
    const make = async () => {
      const { createAccount } = await import("../state/vault");
      await act(async () => {
        const { view, recoveryCode } = await createAccount(name, setStage);
        remember("recovery", "unconfirmed");
        keepRecoveryCode(recoveryCode);
        return view;
      });
    };
    make().then(
      () => { navigate("/prove/recovery", { replace: true }); },
      (thrown: unknown) => {
        setStage(null);
        setProblem(asProblem(thrown));
      },
    );
  };
  // An account that exists already, for instance after the way back: its code was shown once.
  const made = stage === null && session.status === "here" && session.view.state === "done";
  useEffect(() => {
    if (made) navigate("/prove/recovery", { replace: true });
  }, [made]);
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
