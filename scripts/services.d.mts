export interface Services {
  kafka: { broker: string; securedBroker: string; kill(): void; restart(downMs?: number): Promise<void> };
  redis: {
    url: string;
    securedUrl: string;
    restart(options?: { downMs?: number; keepsData?: boolean }): Promise<void>;
  };
  alertmanager: { url: string };
  /** Path of the certificate of the secured ports. */
  certificate: string;
  stop(): Promise<void>;
}
export const account: { username: string; password: string };
export function ensureServices(): void;
export function fetchJars(name: string): string;
export function startServices(): Promise<Services>;
export function freePorts(count: number): Promise<number[]>;
