import { useState } from "preact/hooks";
import { api, asProblem, type Problem } from "../api";
import { useI18n, type PlainKey } from "../i18n";
import { useProofing } from "../state/proofing";
import type { DocumentView } from "../types";
import { ReaderDrawing } from "../ui/drawings";
import { Button, CopyButton } from "../ui/parts";
import { ProblemNotice } from "../ui/problem";
import { Qr } from "../ui/qr";
import { useExpired } from "../ui/use-expired";

/** The reader: its pairing code to type, copy or scan, and whether it is there. */
export function ReaderCard({ document }: { document: DocumentView }) {
  const { t, time } = useI18n();
  const { act } = useProofing();
  const [problem, setProblem] = useState<Problem | null>(null);
  const expired = useExpired(document.pairing_expires_at);
  const command = `ipse passport relay --server ${location.origin} --code ${document.pairing_code} --reader pcsc`;

  return (
    <section class="card stack" aria-labelledby="reader">
      <div class="card-head">
        <ReaderDrawing />
        <div>
          <h2 id="reader">{t("document.reader")}</h2>
          <p class="soft">{t("document.reader_text")}</p>
        </div>
      </div>
      {expired ? <p class="error">{t("document.code_expired")}</p> : (
        <div class="pairing">
          <div class="stack-s">
            <p class="label" id="pairing-label">{t("document.code")}</p>
            <p class="big-code" aria-labelledby="pairing-label" translate={false} data-testid="pairing-code">{document.pairing_code}</p>
            <CopyButton text={document.pairing_code} label={t("document.code_copy")} />
            <p class="hint">{t("document.code_until", { time: time(document.pairing_expires_at) })}</p>
          </div>
          <Qr text={document.pairing_code} label={t("document.qr")} />
        </div>
      )}
      {!expired && (
        <div class="stack-s">
          <p class="label">{t("document.command")}</p>
          <div class="command">
            <code translate={false} tabIndex={0}>{command}</code>
            <CopyButton text={command} label={t("document.command_copy")} />
          </div>
        </div>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="ways spread">
        <p class="waiting" role="status"><span class="waiting-dot" aria-hidden="true" />{t("document.reader_wait")}</p>
        <Button
          kind="quiet"
          onClick={() => {
            setProblem(null);
            act(api.newReader).catch((thrown: unknown) => { setProblem(asProblem(thrown)); });
          }}
        >
          {t("document.code_new")}
        </Button>
      </div>
    </section>
  );
}

const namedFiles = ["COM", "SOD", "DG1", "DG2", "DG7", "DG11", "DG12", "DG14", "DG15", "CardAccess"] as const;

/** The message that names a file of the chip. */
export function fileKey(file: string): PlainKey {
  const known = namedFiles.find((f) => f === file.replace(/^EF[._]/, ""));
  return known === undefined ? "file.other" : `file.${known}`;
}

/** Progress by file, with the time left. */
export function Reading({ document }: { document: DocumentView }) {
  const { t, tn } = useI18n();
  const progress = document.progress ?? null;
  const percent = progress === null || progress.bytes_total <= 0 ? 0 : Math.min(100, Math.floor((100 * progress.bytes_read) / progress.bytes_total));
  const index = progress === null ? 0 : Math.min(progress.index + 1, progress.count);
  return (
    <section class="card stack reading" aria-labelledby="reading">
      <div class="card-head">
        <ReaderDrawing />
        <div>
          <h2 id="reading">{t("document.reading")}</h2>
          <p class="soft">{t("document.reading_text")}</p>
        </div>
      </div>
      <progress class="progress" max={100} value={percent} aria-labelledby="reading" />
      <div class="ways spread" role="status">
        <span>{progress === null ? t("app.loading") : t("document.file", { name: t(fileKey(progress.file)), percent })}</span>
        {progress !== null && <span class="soft">{t("document.file_of", { index, count: progress.count })}</span>}
      </div>
      {progress !== null && progress.seconds_left > 0 && <p class="hint">{tn("document.left", Math.ceil(progress.seconds_left))}</p>}
    </section>
  );
}
