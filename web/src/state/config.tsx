import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Config } from "../types";

export const ConfigContext = createContext<Config | null>(null);

/** What the server says about itself. */
export function useConfig(): Config {
  const value = useContext(ConfigContext);
  if (value === null) throw new Error("useConfig outside of its provider");
  return value;
}
