import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { attributesOf } from "../crypto/sdjwt";
import { useI18n } from "../i18n";
import { recall } from "../remember";
import { Link } from "../router";
import { useLock, type Lock } from "../state/open";
import { useProofing } from "../state/proofing";
import type { OpenVault } from "../state/vault";
import { AttributeList } from "../ui/attributes";
import { LockDrawing, YesDrawing } from "../ui/drawings";
import { Page } from "../ui/page";
import { Button, Notice, Waiting, saveFile } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";
import { ReceiptButton } from "../ui/proving";
import { Services } from "./me-services";
import { Erase, Passkeys, RecoverySection } from "./me-keys";

/** My Ipse: locked by default, opened by the passkey. */
export function Me() {
  const { t } = useI18n();
  const lock = useLock();
  const [erased, setErased] = useState(false);
  if (erased) {
    return (
      <Page title={t("me.erased_title")} drawing={<YesDrawing />} hero>
        <p class="lead center">{t("me.erased_text")}</p>
        <div class="ways center"><Link to="/" class="button primary">{t("app.home")}</Link></div>
      </Page>
    );
  }
  if (lock.vault === null) return <Locked lock={lock} />;
  return <Opened lock={lock} vault={lock.vault} onErased={() => { lock.lock(); setErased(true); }} />;
}

function Locked({ lock }: { lock: Lock }) {
  const { t } = useI18n();
  return (
    <Page title={t("me.title")} drawing={<LockDrawing />} hero>
      <div class="lead stack center">
        <p><strong>{t("me.locked_title")}</strong></p>
        <p>{t("me.locked")}</p>
      </div>
      {lock.problem !== null && <ProblemNotice problem={lock.problem} />}
      <div class="ways center">
        <Button kind="primary" busy={lock.opening} onClick={() => { lock.open(); }}>{t(lock.opening ? "me.opening" : "me.unlock")}</Button>
      </div>
      <p class="ways center">
        <Link to="/recover">{t("start.lost")}</Link>
        <Link to="/">{t("login.no_account")}</Link>
      </p>
    </Page>
  );
}

function Opened({ lock, vault, onErased }: { lock: Lock; vault: OpenVault; onErased: () => void }) {
  const { t } = useI18n();
  const [problem, setProblem] = useState<Problem | null>(null);
  const level = vault.account.level;
  const signOut = (everywhere: boolean) => () => {
    (everywhere ? api.closeSessions() : api.closeSession()).then(lock.lock, (thrown: unknown) => { setProblem(asProblem(thrown)); });
  };
  return (
    <Page title={t("me.title")} wide>
      <div class="ways spread">
        {level !== "" && <p class="level" data-testid="level">{t("me.level", { level: t(`level.${level}`) })}</p>}
        <div class="ways">
          <Button onClick={signOut(false)}>{t("me.sign_out")}</Button>
          <Button onClick={signOut(true)}>{t("me.sign_out_everywhere")}</Button>
        </div>
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
      {!vault.account.complete && <Notice tone="info"><p>{t("me.incomplete")}</p></Notice>}
      {recall("recovery") === "unconfirmed" && <Notice tone="info"><p>{t("me.recovery_unconfirmed")}</p></Notice>}
      <div class="panels">
        <AttributesPanel vault={vault} />
        <Services journal={vault.journal} />
        <Passkeys lock={lock} vault={vault} />
        <RecoverySection lock={lock} vault={vault} />
        <Receipts />
        <Export vault={vault} />
        <Erase onErased={onErased} />
      </div>
    </Page>
  );
}

function AttributesPanel({ vault }: { vault: OpenVault }) {
  const { t, tn } = useI18n();
  const [shown, setShown] = useState(false);
  return (
    <section class="card stack across" aria-labelledby="me-attributes">
      <h2 id="me-attributes">{t("me.attributes")}</h2>
      {vault.claims === null ? <p>{t("me.attributes_none")}</p> : (
        <>
          <AttributeList attributes={attributesOf(vault.claims)} masked={!shown} />
          <div class="ways"><Button onClick={() => { setShown(!shown); }}>{t(shown ? "me.hide" : "me.show")}</Button></div>
        </>
      )}
      {vault.unreadable > 0 && <Notice tone="info"><p>{tn("me.unreadable", vault.unreadable)}</p></Notice>}
    </section>
  );
}

function Receipts() {
  const { t } = useI18n();
  const { session } = useProofing();
  const held = session.status === "here" && session.view.state !== "consent";
  return (
    <section class="card stack" aria-labelledby="me-receipts">
      <h2 id="me-receipts">{t("me.receipts")}</h2>
      {session.status === "loading" ? <Waiting /> : (
        <>
          <p class="soft">{t(held ? "me.receipts_text" : "me.receipts_none")}</p>
          {held && <div class="ways"><ReceiptButton /></div>}
        </>
      )}
    </section>
  );
}

/** Everything of the account as one file, put together in the browser; the private key is not in it. */
function Export({ vault }: { vault: OpenVault }) {
  const { t } = useI18n();
  const save = () => {
    const { account, claims, journal } = vault;
    const content = {
      format: "urn:ipse:export:1",
      exported_at: new Date().toISOString(),
      level: account.level,
      attributes: claims === null ? {} : attributesOf(claims),
      signed_statement: claims === null ? null : `${claims.jwt}~${claims.disclosures.map((d) => `${d.encoded}~`).join("")}`,
      journal,
      passkeys: account.passkeys,
      recovery: account.recovery,
    };
    saveFile("ipse-my-data.json", new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  };
  return (
    <section class="card stack" aria-labelledby="me-export">
      <h2 id="me-export">{t("me.export")}</h2>
      <p class="soft">{t("me.export_text")}</p>
      <div class="ways"><Button onClick={save}>{t("me.export_button")}</Button></div>
    </section>
  );
}
