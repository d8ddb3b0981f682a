/** Pages with little on them: not found, and the way to wherever the check stands. */
import { useEffect } from "preact/hooks";
import { useI18n } from "../i18n";
import { Link, navigate } from "../router";
import { pagesOf, useProofing } from "../state/proofing";
import { PauseDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Waiting } from "../ui/parts";

export function NotFound() {
  const { t } = useI18n();
  return (
    <Page title={t("notfound.title")} drawing={<PauseDrawing />}>
      <p>{t("notfound.text")}</p>
      <div class="ways">
        <Link to="/" class="button primary">{t("app.home")}</Link>
        <Link to="/me" class="button secondary">{t("app.me")}</Link>
      </div>
    </Page>
  );
}

/** /prove: the current step of the check, or the start page. */
export function Continue() {
  const { t } = useI18n();
  const { session } = useProofing();
  useEffect(() => {
    if (session.status === "loading") return;
    navigate(session.status === "here" ? pagesOf[session.view.state][0] : "/", { replace: true });
  }, [session]);
  return <Page title={t("app.name")}><Waiting /></Page>;
}
