import { useState } from "preact/hooks";
import { prefersCalm } from "../face/light";
import { openCamera, type PictureSource } from "../face/source";
import { Stage } from "../face/stage";
import { useCheck, type Phase } from "../face/use-check";
import { useI18n } from "../i18n";
import { recall } from "../remember";
import { useConfig } from "../state/config";
import { useProofing } from "../state/proofing";
import type { View } from "../types";
import { FaceDrawing, Icon } from "../ui/drawings";
import { Page } from "../ui/page";
import { Button, Choice, Notice } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";
import { Proving, ProvingFoot } from "../ui/proving";

export function Face() {
  const { t } = useI18n();
  return <Proving title={t("face.title")} step={3}>{(view) => <FaceStep view={view} />}</Proving>;
}

type Who = "person" | "self";

// The demo person's code is fetched only in the demonstration, and only when chosen.
const openDemoPerson = async (): Promise<PictureSource> => (await import("../demo/camera")).openDemoCamera();

function FaceStep({ view }: { view: View }) {
  const { t } = useI18n();
  const config = useConfig();
  const { reload } = useProofing();
  const check = useCheck(() => void reload());
  const [who, setWho] = useState<Who>(() => (recall("demo") === "self" ? "self" : "person"));
  const [calm, setCalm] = useState(() => config.light === "when_available" && prefersCalm());
  const demoPerson = config.demo && who === "person";
  const running = ["asking", "connecting", "live", "deciding", "busy", "accepted"].includes(check.phase.name);
  const begin = () => { check.begin(demoPerson ? openDemoPerson : openCamera, !calm); };

  return (
    <Page key={running ? "live" : "before"} title={t("face.title")} step={3} {...(running ? { live: true } : { drawing: <FaceDrawing />, back: "/prove/document" })}>
      {running ? <Stage check={check} /> : (
        <>
          <Outcome phase={check.phase} />
          {check.phase.name === "idle" && <p class="lead">{t("face.lead")}</p>}
          <ul class="lines">
            {(["face.prepare_1", "face.prepare_2", "face.prepare_3"] as const).map((key) => (
              <li key={key}><Icon name="yes" /><span>{t(key)}</span></li>
            ))}
          </ul>
          {config.demo && (
            <section class="demo-box stack">
              <p class="demo-label">{t("demo.label")}</p>
              <Choice<Who>
                legend={t("demo.camera_title")}
                value={who}
                onChange={setWho}
                options={[
                  { value: "person", label: t("demo.play"), text: t("demo.play_text") },
                  { value: "self", label: t("demo.mine"), text: t("demo.mine_text") },
                ]}
              />
            </section>
          )}
          {config.light !== "off" && <Colours required={config.light === "required"} calm={calm} onChange={setCalm} />}
          <div class="ways">
            <Button kind="primary" onClick={begin}>
              {check.phase.name === "idle" ? t(demoPerson ? "face.start_demo" : "face.start") : t("app.again")}
            </Button>
          </div>
        </>
      )}
      <p class="hint" aria-live="polite">{t("face.frames")}{check.others && ` ${t("face.covered")}`}</p>
      <ProvingFoot view={view} live={running} />
    </Page>
  );
}

/** What the colours at the end are, and how to do without them. */
function Colours({ required, calm, onChange }: { required: boolean; calm: boolean; onChange: (calm: boolean) => void }) {
  const { t } = useI18n();
  return (
    <section class="stack" aria-label={t("light.title")}>
      <p>{t("light.what")}</p>
      {required ? <p>{t("light.required")}</p> : (
        <label class="tick-card">
          <input type="checkbox" checked={calm} onChange={(event) => { onChange(event.currentTarget.checked); }} />
          <span>{t("light.decline")}</span>
        </label>
      )}
    </section>
  );
}

/** Why the last attempt did not succeed, and what to do. */
function Outcome({ phase }: { phase: Phase }) {
  const { t, tn, code } = useI18n();
  switch (phase.name) {
    case "refused":
      return (
        <Notice tone="bad" title={t("face.refused_title")}>
          <p>{code("reason", phase.reason, ".what", "reason.unknown.what")}</p>
          <p>{code("reason", phase.reason, ".do", "reason.unknown.do")}</p>
          {phase.attemptsLeft !== null && <p>{tn("face.attempts", phase.attemptsLeft)}</p>}
        </Notice>
      );
    case "camera":
      return (
        <Notice tone="bad" title={t(`camera.${phase.fault}.what`)}>
          <p>{t(`camera.${phase.fault}.do`)}</p>
        </Notice>
      );
    case "problem":
      return <ProblemNotice problem={phase.problem} />;
    default:
      return null;
  }
}
