/** The recovery code between its making and its noting: in memory, forgotten on reload. */
const pending: { code: string[] | null } = { code: null };

export function keepRecoveryCode(code: string[] | null): void {
  pending.code = code;
}

export function keptRecoveryCode(): string[] | null {
  return pending.code;
}
