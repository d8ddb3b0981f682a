import { useEffect, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { createSigningPasskey } from "../crypto/passkey";
import { useI18n } from "../i18n";
import { Link, navigate } from "../router";
import { KeyDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Button, Notice, Waiting } from "../ui/parts";
import { AgentProblem } from "./problem";

/** An agent registers their passkey with the code behind the #, which no server's log has seen. */
export function Enrol() {
  const { t } = useI18n();
  const [code] = useState(() => location.hash.slice(1));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  // The code leaves the address bar and the history as soon as the page has it.
  useEffect(() => {
    if (location.hash !== "") history.replaceState(null, "", location.pathname);
  }, []);
  const enrol = async () => {
    await api.enrol(code, await createSigningPasskey(await api.enrolOptions(code)));
    navigate("/agent", { replace: true });
  };
  const begin = () => {
    setProblem(null);
    setBusy(true);
    enrol().catch((thrown: unknown) => {
      setProblem(asProblem(thrown));
      setBusy(false);
    });
  };
  return (
    <Page title={t("agent.enrol_title")} drawing={<KeyDrawing />}>
      <p class="lead">{t("agent.enrol_lead")}</p>
      <p>{t("agent.enrol_kept")}</p>
      {code === "" && <Notice tone="bad" title={t("agent.enrol_no_code")}><p>{t("agent.enrol_no_code_text")}</p></Notice>}
      {problem !== null && <AgentProblem problem={problem} />}
      {busy && <Waiting>{t("agent.working")}</Waiting>}
      <div class="ways">
        {code !== "" && <Button kind="primary" busy={busy} onClick={begin}>{t("agent.enrol")}</Button>}
        <Link to="/agent">{t("agent.have_passkey")}</Link>
      </div>
    </Page>
  );
}
