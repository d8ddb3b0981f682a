import { useEffect, useState } from "preact/hooks";
import { useI18n } from "../i18n";
import { navigate } from "../router";
import { useConfig } from "../state/config";
import type { DocumentView, MrzInput, View } from "../types";
import { CardDrawing, PassportDrawing, PhoneDrawing } from "../ui/drawings";
import { lazy } from "../ui/lazy";
import { Page } from "../ui/page";
import { Button, Notice } from "../ui/parts";
import { Proving, ProvingFoot } from "../ui/proving";
import { AccessForm, emptyAccess, type Access } from "./document-form";
import { WhatWasRead } from "./document-read";
import { ReaderCard, Reading } from "./document-reader";

const DemoPassport = lazy(() => import("../demo/passport").then((m) => m.DemoPassport));

export function Document() {
  const { t } = useI18n();
  return <Proving title={t("document.title")} step={2}>{(view) => <DocumentStep view={view} />}</Proving>;
}

/** First the reader, then what opens the chip, then the reading, then what was read. */
function DocumentStep({ view }: { view: View }) {
  const { t } = useI18n();
  // What was typed survives a failed reading.
  const [access, setAccess] = useState<Access>(emptyAccess);
  const document = view.document;

  if (view.state === "face" || view.state === "counter") {
    const camera = view.state === "face";
    return (
      <Page key="read" title={t("document.done")} step={2} back="/">
        <WhatWasRead summary={view.document_summary} />
        <div class="ways">
          <Button kind="primary" onClick={() => { navigate(camera ? "/prove/face" : "/counter"); }}>
            {t(camera ? "document.to_face" : "document.to_counter")}
          </Button>
        </div>
        <ProvingFoot view={view} />
      </Page>
    );
  }
  if (document?.phase === "reading") {
    return (
      <Page key="reading" title={t("document.title")} step={2}>
        <Reading document={document} />
        <ProvingFoot view={view} />
      </Page>
    );
  }
  return (
    <Page key="prepare" title={t("document.title")} step={2} back="/">
      {document !== undefined && <Prepare document={document} access={access} setAccess={setAccess} />}
      <ProvingFoot view={view} />
    </Page>
  );
}

interface PrepareProps {
  document: DocumentView;
  access: Access;
  setAccess: (access: Access) => void;
}

function Prepare({ document, access, setAccess }: PrepareProps) {
  const { t, tn, code } = useI18n();
  const config = useConfig();
  const connected = document.reader_connected;
  // The form appears with the reader and stays, also when the reader comes and goes.
  const [form, setForm] = useState(connected || document.phase === "failed");
  const [specimen, setSpecimen] = useState(false);
  useEffect(() => {
    if (connected) setForm(true);
  }, [connected]);
  const onSpecimen = (mrz: MrzInput) => {
    setAccess({ ...emptyAccess, number: mrz.document_number, birth: mrz.birth_date, expiry: mrz.expiry_date });
    setSpecimen(true);
    setForm(true);
  };
  return (
    <>
      <p class="lead">{t("document.lead")}</p>
      {document.phase === "failed" && (
        <Notice tone="bad">
          <p>{code("docfail", document.failure ?? "unknown", "", "docfail.unknown")}</p>
          <p>{tn("document.attempts", document.attempts_left)}</p>
        </Notice>
      )}
      {config.demo && !specimen && <DemoPassport onReady={onSpecimen} />}
      {connected
        ? <Notice tone="good" title={t("document.reader_ok")}><p>{t(specimen ? "demo.ready" : "document.reader_lay")}</p></Notice>
        : <ReaderCard document={document} />}
      {form && <AccessForm access={access} setAccess={setAccess} ready={connected} />}
      <ChipPlaces open={!form} />
    </>
  );
}

function ChipPlaces({ open }: { open: boolean }) {
  const { t } = useI18n();
  const places = [
    { drawing: <PassportDrawing />, text: t("document.chip_passport") },
    { drawing: <CardDrawing />, text: t("document.chip_card") },
    { drawing: <PhoneDrawing />, text: t("document.chip_phone") },
  ];
  return (
    <details class="fold" open={open}>
      <summary>{t("document.chip_where")}</summary>
      <div class="stack">
        <ul class="places">
          {places.map((place) => <li key={place.text}>{place.drawing}<span>{place.text}</span></li>)}
        </ul>
        <p class="hint with-sign">
          <svg viewBox="0 0 32 22" aria-hidden="true" focusable="false" class="chip-sign"><rect x="2" y="2" width="28" height="18" rx="2" /><path d="M2 11h9M21 11h9" /><circle cx="16" cy="11" r="5" /></svg>
          <span>{t("document.chip_symbol")}</span>
        </p>
      </div>
    </details>
  );
}
