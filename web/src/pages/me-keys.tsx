/** The ways into an account: passkeys, recovery code, and the way out of it. */
import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useI18n } from "../i18n";
import { forget, remember } from "../remember";
import type { Lock } from "../state/open";
import { addPasskey, confirmWithPasskey, replaceRecoveryCode, type OpenVault, type Stage } from "../state/vault";
import { Button, Dialog, Notice } from "../ui/parts";
import { PasskeyForm } from "../ui/passkey-form";
import { ProblemNotice } from "../ui/problem";
import { RecoveryCode } from "../ui/recovery-code";

interface Props {
  lock: Lock;
  vault: OpenVault;
}

/** Runs an action; where the server wants the passkey once more, asks for it and runs it again. */
async function withPasskey(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (thrown) {
    if (asProblem(thrown).code !== "passkey_needed") throw thrown;
    await confirmWithPasskey();
    await action();
  }
}

export function Passkeys({ lock, vault }: Props) {
  const { t, date } = useI18n();
  const [adding, setAdding] = useState(false);
  const [added, setAdded] = useState(false);
  const [removing, setRemoving] = useState<{ id: string; name: string } | null>(null);
  const [stage, setStage] = useState<Stage | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { passkeys } = vault.account;
  const failed = (thrown: unknown) => {
    setStage(null);
    setProblem(asProblem(thrown));
  };
  const create = (name: string) => {
    setProblem(null);
    withPasskey(() => addPasskey(vault, name, setStage)).then(lock.refresh).then(() => {
      setStage(null);
      setAdding(false);
      setAdded(true);
    }).catch(failed);
  };
  const remove = (id: string) => {
    setRemoving(null);
    setProblem(null);
    withPasskey(() => api.removePasskey(id)).then(lock.refresh).catch(failed);
  };
  return (
    <section class="card stack across" aria-labelledby="me-passkeys">
      <h2 id="me-passkeys">{t("me.passkeys")}</h2>
      <ul class="entries">
        {passkeys.map((passkey) => (
          <li key={passkey.id} class="entry-line">
            <div>
              <p><strong>{passkey.name}</strong></p>
              <p class="soft">{t("me.passkey_created", { date: date(passkey.created_on) })}</p>
            </div>
            {passkeys.length > 1 && (
              <Button kind="quiet" label={t("me.passkey_remove_label", { name: passkey.name })} onClick={() => { setRemoving(passkey); }}>{t("me.passkey_remove")}</Button>
            )}
          </li>
        ))}
      </ul>
      {passkeys.length === 1 && <p class="hint">{t("me.passkey_last")}</p>}
      {added && <Notice tone="good"><p>{t("me.passkey_added")}</p></Notice>}
      {adding
        ? <PasskeyForm stage={stage} problem={problem} onCreate={create} />
        : (
          <>
            {problem !== null && <ProblemNotice problem={problem} />}
            <div class="ways"><Button onClick={() => { setAdding(true); setAdded(false); setProblem(null); }}>{t("me.passkey_add")}</Button></div>
          </>
        )}
      {removing !== null && (
        <Dialog title={t("me.passkey_remove_title")} yes={t("me.passkey_remove")} no={t("app.cancel")} onNo={() => { setRemoving(null); }} onYes={() => { remove(removing.id); }}>
          <p>{t("me.passkey_remove_text", { name: removing.name })}</p>
        </Dialog>
      )}
    </section>
  );
}

export function RecoverySection({ lock, vault }: Props) {
  const { t, date } = useI18n();
  const [code, setCode] = useState<string[] | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { recovery } = vault.account;
  const make = () => {
    setProblem(null);
    setBusy(true);
    withPasskey(async () => {
      const made = await replaceRecoveryCode(vault);
      remember("recovery", "unconfirmed");
      setCode(made);
    }).catch((thrown: unknown) => { setProblem(asProblem(thrown)); }).finally(() => { setBusy(false); });
  };
  return (
    <section class={code === null ? "card stack" : "card stack across"} aria-labelledby="me-recovery">
      <h2 id="me-recovery">{t("me.recovery")}</h2>
      {code !== null ? (
        <>
          <p class="soft">{t("recovery.lead")}</p>
          <RecoveryCode
            code={code}
            onConfirmed={() => {
              setCode(null);
              forget("recovery");
              void lock.refresh().catch((thrown: unknown) => { setProblem(asProblem(thrown)); });
            }}
          />
        </>
      ) : (
        <>
          <p class="soft">{recovery === null ? t("me.recovery_none") : t("me.recovery_made", { date: date(recovery.created_on) })}</p>
          {problem !== null && <ProblemNotice problem={problem} />}
          <div class="ways"><Button busy={busy} onClick={make}>{t("me.recovery_new")}</Button></div>
        </>
      )}
    </section>
  );
}

export function Erase({ onErased }: { onErased: () => void }) {
  const { t } = useI18n();
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const erase = () => {
    setAsking(false);
    setProblem(null);
    confirmWithPasskey().then(api.eraseAccount).then(onErased, (thrown: unknown) => { setProblem(asProblem(thrown)); });
  };
  return (
    <section class="card stack" aria-labelledby="me-erase">
      <h2 id="me-erase">{t("me.erase")}</h2>
      <p class="soft">{t("me.erase_text")}</p>
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="ways"><Button onClick={() => { setAsking(true); }}>{t("me.erase_button")}</Button></div>
      {asking && (
        <Dialog title={t("me.erase_title")} yes={t("me.erase_yes")} no={t("app.cancel")} onNo={() => { setAsking(false); }} onYes={erase}>
          <p>{t("me.erase_confirm")}</p>
        </Dialog>
      )}
    </section>
  );
}
