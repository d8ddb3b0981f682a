import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { present } from "../crypto/sdjwt";
import { useI18n } from "../i18n";
import { Link, leaveTo, takeLostFocus } from "../router";
import { useLock, type Lock } from "../state/open";
import { rememberedAnswer, type OpenVault } from "../state/vault";
import type { Level, LoginRequest } from "../types";
import { attributeLabel, attributeValue } from "../ui/attributes";
import { Page } from "../ui/page";
import { Button, Notice, Waiting } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";

/** A service asks who one is: first who and why, then the exact values, then yes or no. */
export function Login({ id }: { id: string }) {
  const { t, own, suggest } = useI18n();
  const lock = useLock();
  const [request, setRequest] = useState<LoginRequest | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [leaving, setLeaving] = useState(false);

  const load = useCallback(() => {
    setProblem(null);
    api.login(id).then((asked) => {
      if (asked.language !== undefined) suggest(asked.language);
      setRequest(asked);
    }, (thrown: unknown) => {
      const found = asProblem(thrown);
      setProblem(found);
    });
  }, [id, suggest]);
  useEffect(load, [load]);
  // A passkey used before this login began does not count for it.
  const { vault, lock: close } = lock;
  useEffect(() => {
    if (request !== null && !request.signed_in && vault !== null && !lock.opening && !openedHere.has(vault)) close();
  }, [request, vault, lock.opening, close]);

  const answer = (send: () => Promise<{ redirect_to: string }>) => {
    setProblem(null);
    setLeaving(true);
    send().then(({ redirect_to: to }) => {
      lock.lock();
      leaveTo(to);
    }, (thrown: unknown) => {
      setLeaving(false);
      setProblem(asProblem(thrown));
    });
  };

  if (request === null) {
    return (
      <Page title={t("app.name")}>
        {problem === null ? <Waiting /> : <ProblemNotice problem={problem} onRetry={load} />}
      </Page>
    );
  }
  const { service } = request;
  const name = own(service.name);
  const yes = (presentation: string, remember: boolean) => { answer(() => api.loginConsent(id, presentation, remember)); };
  const no = () => { answer(() => api.loginRefuse(id)); };
  return (
    <Page title={t("login.title", { service: name })} drawing={<Logo service={service} />}>
      <p class="lead">{t("login.lead")}</p>
      <Facts request={request} />
      {problem !== null && <ProblemNotice problem={problem} />}
      {leaving ? <Waiting>{t("login.redirecting", { service: name })}</Waiting>
        : lock.vault === null
          ? <Closed request={request} lock={lock} onStanding={yes} onNo={no} />
          : <Decide request={request} vault={lock.vault} onYes={yes} onNo={no} />}
    </Page>
  );
}

// Vaults that were opened on a login page, by the passkey of this very login.
const openedHere = new WeakSet<OpenVault>();

/** The service's picture, or its first letter where there is none. */
function Logo({ service }: { service: LoginRequest["service"] }) {
  const { t, own } = useI18n();
  const name = own(service.name);
  const url = service.logo_url ?? "";
  const [broken, setBroken] = useState(url === "");
  if (broken) return <span class="monogram" role="img" aria-label={t("login.monogram", { service: name })}>{name.slice(0, 1)}</span>;
  return <img class="logo" src={url} alt={t("login.monogram", { service: name })} onError={() => { setBroken(true); }} />;
}

const levelOfAcr: Record<string, Level> = { eidas1: "low", eidas2: "substantial", eidas3: "high" };
const rank: Record<Level, number> = { low: 1, substantial: 2, high: 3 };

function requiredLevel(request: LoginRequest): Level | undefined {
  return request.level_required === "" ? levelOfAcr[request.acr] : request.level_required;
}

function Facts({ request }: { request: LoginRequest }) {
  const { t, own } = useI18n();
  const policy = request.service.policy_url ?? "";
  const level = requiredLevel(request);
  return (
    <div class="card stack">
      <dl class="facts">
        <div><dt>{t("login.purpose")}</dt><dd>{own(request.purpose)}</dd></div>
        <div><dt>{t("login.legal")}</dt><dd>{own(request.legal_basis)}</dd></div>
        {level !== undefined && <div><dt>{t("login.level")}</dt><dd>{t(`level.${level}`)}</dd></div>}
      </dl>
      {policy !== "" && (
        <p class="ways">
          <a href={policy} target="_blank" rel="noopener noreferrer">
            {t("login.policy", { service: own(request.service.name) })}<span class="visually-hidden"> ({t("app.new_tab")})</span>
          </a>
        </p>
      )}
    </div>
  );
}

/** What the account has of what is asked, and whether that is enough. */
function holdingsOf(request: LoginRequest, vault: OpenVault) {
  const values = new Map(vault.claims?.disclosures.map((d) => [d.name, d.value]) ?? []);
  const missing = request.attributes.filter((a) => a.essential && !values.has(a.name));
  const required = requiredLevel(request);
  const own = vault.account.level === "" ? undefined : vault.account.level;
  const low = required !== undefined && own !== undefined && rank[own] < rank[required] ? { level: own, required } : null;
  return { values, missing, low, possible: vault.claims !== null && own !== undefined && missing.length === 0 && low === null };
}

/** The presentation of the answer that the person had remembered for this very request, if it can be given. */
function standingAnswer(request: LoginRequest, vault: OpenVault): string | null {
  const names = rememberedAnswer(vault.journal, request.service.id, request.terms);
  return names !== null && vault.claims !== null && holdingsOf(request, vault).possible ? present(vault.claims, new Set(names)) : null;
}

interface ClosedProps {
  request: LoginRequest;
  lock: Lock;
  onStanding: (presentation: string, remember: boolean) => void;
  onNo: () => void;
}

/** Before the passkey: the names of what is asked for. A remembered answer is given as soon as the account opens. */
function Closed({ request, lock, onStanding, onNo }: ClosedProps) {
  const i18n = useI18n();
  const { t, time } = i18n;
  const [ask, setAsk] = useState(false);
  const open = () => {
    lock.open((vault) => {
      openedHere.add(vault);
      const standing = ask ? null : standingAnswer(request, vault);
      if (standing !== null) onStanding(standing, true);
    });
  };
  return (
    <section class="stack" aria-labelledby="asks">
      <h2 id="asks">{t("login.asks")}</h2>
      <ul class="asks card">
        {request.attributes.map((a) => (
          <li key={a.name}><span>{attributeLabel(i18n, a.name)}</span><span class="tag">{t(a.essential ? "login.required" : "login.optional")}</span></li>
        ))}
      </ul>
      <p>{t("login.open_first")}</p>
      {lock.problem !== null && <ProblemNotice problem={lock.problem} />}
      <label class="tick-card">
        <input type="checkbox" checked={ask} onChange={(event) => { setAsk(event.currentTarget.checked); }} />
        <span>{t("login.ask_again")} <span class="soft">{t("login.ask_again_text")}</span></span>
      </label>
      <div class="pair">
        <Button
          busy={lock.opening}
          onClick={open}
        >
          {t(lock.opening ? "me.opening" : "login.open")}
        </Button>
        <Button onClick={onNo}>{t("login.no")}</Button>
      </div>
      <p class="hint">{t("login.ends", { time: time(request.expires_at) })}</p>
      <p class="ways"><Link to="/">{t("login.no_account")}</Link><Link to="/recover">{t("start.lost")}</Link></p>
    </section>
  );
}

interface DecideProps {
  request: LoginRequest;
  vault: OpenVault;
  onYes: (presentation: string, remember: boolean) => void;
  onNo: () => void;
}

/** Each attribute with its value; what is not required can be left out; yes and no weigh the same. */
function Decide({ request, vault, onYes, onNo }: DecideProps) {
  const i18n = useI18n();
  const { t, time, own: words } = i18n;
  const service = words(request.service.name);
  // Optional attributes start unchosen: nothing is agreed in advance.
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [remember, setRemember] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    takeLostFocus(heading.current);
  }, []);
  const claims = vault.claims;
  const { values, missing, low, possible } = holdingsOf(request, vault);
  const toggle = (name: string) => {
    setChosen((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });
  };
  const yes = () => {
    if (claims === null) return;
    const names = request.attributes.filter((a) => a.essential || chosen.has(a.name)).map((a) => a.name);
    onYes(present(claims, new Set(names)), remember);
  };
  return (
    <section class="stack" aria-labelledby="values">
      <h2 id="values" ref={heading} tabIndex={-1}>{t("login.values")}</h2>
      {request.attributes.some((a) => !a.essential) && <p>{t("login.choice")}</p>}
      <ul class="asks values card">
        {request.attributes.map((a) => {
          const value = values.get(a.name);
          return (
            <li key={a.name} data-attribute={a.name}>
              <span class="ask-words">
                <span class="soft">{attributeLabel(i18n, a.name)}</span>
                <strong>{value === undefined ? t("login.missing_optional") : attributeValue(i18n, a.name, value)}</strong>
              </span>
              {a.essential || value === undefined ? <span class="tag">{t(a.essential ? "login.required" : "login.optional")}</span> : (
                <label class="switch">
                  <input
                    type="checkbox"
                    role="switch"
                    checked={chosen.has(a.name)}
                    aria-label={t("login.send", { attribute: attributeLabel(i18n, a.name) })}
                    onChange={() => { toggle(a.name); }}
                  />
                  <span class="switch-words" aria-hidden="true">{t(chosen.has(a.name) ? "login.sent" : "login.kept")}</span>
                </label>
              )}
            </li>
          );
        })}
      </ul>
      <p class="soft">{t("login.never")}</p>
      {missing.length > 0 && (
        <Notice tone="bad"><p>{t("login.missing", { attributes: missing.map((a) => attributeLabel(i18n, a.name)).join(", "), service })}</p></Notice>
      )}
      {low !== null && (
        <Notice tone="bad"><p>{t("login.low", { level: t(`level.${low.level}`), required: t(`level.${low.required}`), service })}</p></Notice>
      )}
      {possible && request.terms !== "" && (
        <label class="tick-card">
          <input type="checkbox" checked={remember} onChange={(event) => { setRemember(event.currentTarget.checked); }} />
          <span>{t("login.remember", { service })} <span class="soft">{t("login.remember_text")}</span></span>
        </label>
      )}
      <div class="pair">
        <Button off={!possible} onClick={yes}>{t("login.yes")}</Button>
        <Button onClick={onNo}>{t("login.no")}</Button>
      </div>
      {!possible && <p class="ways"><Link to="/">{t("me.prove")}</Link></p>}
      <p class="hint">{t("login.ends", { time: time(request.expires_at) })}</p>
    </section>
  );
}
