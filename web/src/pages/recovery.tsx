import { useState } from "preact/hooks";
import { useI18n } from "../i18n";
import { forget } from "../remember";
import { Link, navigate } from "../router";
import { keepRecoveryCode, keptRecoveryCode } from "../state/pending";
import { PaperDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { RecoveryCode } from "../ui/recovery-code";

/** The recovery code, once: print it, save it, type a group of it back. */
export function Recovery() {
  const { t } = useI18n();
  const [code] = useState(keptRecoveryCode);
  if (code === null) {
    return (
      <Page title={t("recovery.again_title")} drawing={<PaperDrawing />}>
        <p class="lead">{t("recovery.again_text")}</p>
        <div class="ways">
          <Link to="/me" class="button primary">{t("start.open_me")}</Link>
          <Link to="/" class="button secondary">{t("app.home")}</Link>
        </div>
      </Page>
    );
  }
  return (
    <Page title={t("recovery.title")} step={6} drawing={<PaperDrawing />}>
      <p class="lead">{t("recovery.lead")}</p>
      <RecoveryCode
        code={code}
        onConfirmed={() => {
          keepRecoveryCode(null);
          forget("recovery");
          navigate("/me");
        }}
      />
    </Page>
  );
}
