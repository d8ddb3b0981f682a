/** The demonstration's specimen passport: whose portrait, then onto its reader. Fetched in demo mode only. */
import { useEffect, useRef, useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { takePicture } from "../face/capture";
import { cameraFault, openCamera, type CameraFault, type PictureSource } from "../face/source";
import { useI18n } from "../i18n";
import { recall, remember } from "../remember";
import type { MrzInput } from "../types";
import { Button, Choice, Notice } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";
import { demoPerson } from "./person";

type Who = "person" | "self";

async function base64url(blob: Blob): Promise<string> {
  const { toBase64url } = await import("../crypto/bytes");
  return toBase64url(new Uint8Array(await blob.arrayBuffer()));
}

export function DemoPassport({ onReady }: { onReady: (mrz: MrzInput) => void }) {
  const { t } = useI18n();
  const [who, setWho] = useState<Who>(() => (recall("demo") === "self" ? "self" : "person"));
  const [picture, setPicture] = useState<Blob | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const use = async () => {
    const body = who === "self" && picture !== null ? { portrait: await base64url(picture) } : { person: demoPerson };
    remember("demo", who);
    const { mrz } = await api.demoPassport(body);
    onReady(mrz);
  };
  return (
    <section class="demo-box stack" aria-labelledby="demo-passport">
      <p class="demo-label">{t("demo.label")}</p>
      <h2 id="demo-passport">{t("demo.title")}</h2>
      <p>{t("demo.text")}</p>
      <Choice<Who>
        legend={t("demo.whose")}
        value={who}
        onChange={setWho}
        options={[
          { value: "person", label: t("demo.person"), text: t("demo.person_text") },
          { value: "self", label: t("demo.self"), text: t("demo.self_text") },
        ]}
      />
      {who === "self" && <Portrait picture={picture} onPicture={setPicture} />}
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="ways">
        <Button
          kind="primary"
          off={who === "self" && picture === null}
          busy={busy}
          onClick={() => {
            setProblem(null);
            setBusy(true);
            use().catch((thrown: unknown) => { setProblem(asProblem(thrown)); }).finally(() => { setBusy(false); });
          }}
        >
          {t("demo.use")}
        </Button>
      </div>
    </section>
  );
}

/** A picture taken now, kept in this page's memory. */
function Portrait({ picture, onPicture }: { picture: Blob | null; onPicture: (picture: Blob | null) => void }) {
  const { t } = useI18n();
  const video = useRef<HTMLVideoElement>(null);
  const [fault, setFault] = useState<CameraFault | null>(null);
  const [url, setUrl] = useState<string | null>(null);

  useEffect(() => {
    if (picture === null) return undefined;
    const address = URL.createObjectURL(picture);
    setUrl(address);
    return () => {
      URL.revokeObjectURL(address);
      setUrl(null);
    };
  }, [picture]);

  useEffect(() => {
    if (picture !== null) return undefined;
    let source: PictureSource | null = null;
    let gone = false;
    openCamera().then(
      (opened) => {
        if (gone || video.current === null) {
          opened.stop();
          return;
        }
        source = opened;
        setFault(null);
        video.current.srcObject = opened.stream;
        void video.current.play().catch(() => undefined);
      },
      (thrown: unknown) => { setFault(cameraFault(thrown)); },
    );
    return () => {
      gone = true;
      source?.stop();
    };
  }, [picture]);

  if (fault !== null) {
    return <Notice tone="bad" title={t(`camera.${fault}.what`)}><p>{t(`camera.${fault}.do`)}</p></Notice>;
  }
  return (
    <div class="stack-s">
      {picture === null
        ? <video ref={video} class="selfie mirrored" muted playsInline aria-label={t("demo.preview")} />
        : url !== null && <img class="selfie" src={url} alt={t("demo.taken")} />}
      <div class="ways">
        {picture === null
          ? <Button onClick={() => { if (video.current !== null) void takePicture(video.current).then(onPicture); }}>{t("demo.take")}</Button>
          : <><Button onClick={() => { onPicture(null); }}>{t("demo.retake")}</Button><span class="soft">{t("demo.taken")}</span></>}
      </div>
    </div>
  );
}
