import { readFileSync } from "node:fs";
import { LogGuardianError, reasonOf } from "../errors.ts";

/** The files of a `tls` section, read. @throws LogGuardianError LG_CONFIG_PEM. */
export function readPem(
  files: { ca?: string | undefined; certificate?: string | undefined; key?: string | undefined },
  section: string,
): { ca?: string; cert?: string; key?: string } {
  const read = (name: "ca" | "certificate" | "key") => {
    const path = files[name];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (thrown) {
      throw new LogGuardianError(
        "LG_CONFIG_PEM",
        `${section}.${name}, ${path}, cannot be read: ${reasonOf(thrown)}.`,
        "Correct the path.",
        thrown,
      );
    }
  };
  const [ca, cert, key] = [read("ca"), read("certificate"), read("key")];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
