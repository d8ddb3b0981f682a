import type { Page } from "@playwright/test";

export interface Authenticator {
  /** Takes the device away, with every passkey on it. */
  remove: () => Promise<void>;
}

/** A virtual authenticator that verifies its user and evaluates PRF (CTAP 2.1 hmac-secret). */
export async function addAuthenticator(page: Page, options: { prf?: boolean } = {}): Promise<Authenticator> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      hasPrf: options.prf ?? true,
    },
  });
  return {
    remove: async () => {
      await cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
      await cdp.detach();
    },
  };
}
