// Real services for tests and end-to-end runs: Apache Kafka, Redis, Alertmanager, each on free ports with data of its
// own in a temporary folder. What is started here is stopped here; nothing else is touched.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureCommands, fail, root, run } from "./setup.mjs";

const libraries = join(root, "build/kafka");
const readyWithinMs = 240_000;
/** rsyslog's module, no command, where Debian and Fedora have it. */
const omkafka =
  ["/usr/lib64/rsyslog/omkafka.so"].find(existsSync) ??
  `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/rsyslog/omkafka.so`;

/** Account that the services ask for on their secured ports. */
export const account = { username: "logguardian", password: "a secret" };

/** Installs or names what is missing, and fetches the broker. */
export function ensureServices() {
  ensureCommands({
    mvn: "maven",
    java: "default-jdk-headless",
    javac: "default-jdk-headless",
    openssl: "openssl",
    "redis-server": "redis-server",
    "prometheus-alertmanager": "prometheus-alertmanager",
    amtool: "prometheus-alertmanager",
    promtool: "prometheus",
    "docker-compose": "docker-compose",
    rsyslogd: "rsyslog",
    [omkafka]: "rsyslog-kafka",
  });
  fetchJars("kafka");
}

/** The jars that `scripts/<name>-pom.xml` names, with all they need, from Maven Central. Returns their folder. */
export function fetchJars(name) {
  const folder = join(root, "build", name);
  if (existsSync(join(folder, "complete"))) return folder;
  console.log(`Fetching ${name} from Maven Central …`);
  mkdirSync(folder, { recursive: true });
  run("mvn", [
    ...["--quiet", "--batch-mode", "--file", join(root, `scripts/${name}-pom.xml`)],
    ...["dependency:copy-dependencies", `-DoutputDirectory=${folder}`],
  ]);
  writeFileSync(join(folder, "complete"), "");
  return folder;
}

/** Starts all three. Returns where they listen, a certificate for the secured ports, and how to stop them. */
export async function startServices() {
  const folder = mkdtempSync(join(tmpdir(), "logguardian-services-"));
  const certificate = makeCertificate(folder);
  const processes = [];
  const stop = async () => {
    for (const child of processes) child.kill("SIGKILL");
    await Promise.all(
      // One that a signal ended, such as a broker that was restarted, has no exit code and says nothing any more.
      processes.map(
        (child) => child.exitCode ?? child.signalCode ?? new Promise((end) => child.once("exit", end)),
      ),
    );
    rmSync(folder, { recursive: true, force: true });
  };
  const start = async (name, port, command, args, options = {}) => {
    const log = join(folder, `${name}.log`);
    const child = spawn(command, args, {
      stdio: ["ignore", openSync(log, "w"), openSync(log, "a")],
      ...options,
    });
    processes.push(child);
    const deadline = Date.now() + readyWithinMs;
    while (!(await listens(port))) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`${name} does not start:\n${readFileSync(log, "utf8").slice(-2000)}`);
      await sleep(100);
    }
    return child;
  };
  try {
    const [kafka, redis, alertmanager] = await Promise.all([
      startKafka(folder, start),
      startRedis(folder, certificate, start),
      startAlertmanager(folder, start),
    ]);
    return { kafka, redis, alertmanager, certificate: certificate.certificate, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function startKafka(folder, start) {
  const [plain, secured, controller] = await freePorts(3);
  const address = "127.0.0.1";
  const jaas = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${account.username}="${account.password}";`;
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  const properties = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@${address}:${controller}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://${address}:${plain},SECURED://${address}:${secured},CONTROLLER://${address}:${controller}`,
    "advertised.listeners": `PLAINTEXT://${address}:${plain},SECURED://${address}:${secured}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL,CONTROLLER:PLAINTEXT",
    "listener.name.secured.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
    "listener.name.secured.plain.sasl.jaas.config": jaas,
    "listener.name.secured.scram-sha-512.sasl.jaas.config": scram,
    "ssl.keystore.type": "PKCS12",
    "ssl.keystore.location": join(folder, "store.p12"),
    "ssl.keystore.password": "store-password",
    "log.dirs": join(folder, "kafka"),
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
    "auto.create.topics.enable": false,
  };
  const file = join(folder, "server.properties");
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}`)
      .join("\n"),
  );
  const classPath = ["-cp", join(libraries, "*")];
  const format = spawnSync(
    "java",
    [
      ...[
        "-Xmx128m",
        ...classPath,
        "kafka.tools.StorageTool",
        "format",
        "-t",
        "LogGuardianTestBrokr1Q",
        "-c",
        file,
      ],
      ...["--add-scram", `SCRAM-SHA-512=[name=${account.username},password=${account.password}]`],
    ],
    { encoding: "utf8" },
  );
  if (format.status !== 0)
    throw new Error(`Kafka's storage cannot be made: ${format.stdout}${format.stderr}`);
  const startBroker = () => start("kafka", plain, "java", ["-Xmx512m", ...classPath, "kafka.Kafka", file]);
  let child = await startBroker();
  return {
    broker: `${address}:${plain}`,
    securedBroker: `${address}:${secured}`,
    /** Ends the broker as a crash would. */
    kill: () => void child.kill("SIGKILL"),
    /** Ends it likewise, and brings it back with its data. */
    async restart(downMs = 0) {
      child.kill("SIGKILL");
      await sleep(downMs);
      child = await startBroker();
    },
  };
}

async function startRedis(folder, { certificate, key }, start) {
  const [plain, secured] = await freePorts(2);
  mkdirSync(join(folder, "redis"));
  writeFileSync(
    join(folder, "users.acl"),
    `user default on nopass ~* &* +@all\nuser ${account.username} on #${sha256(account.password)} ~lg:* &* +@all\n`,
  );
  const args = [
    ...[
      "--port",
      plain,
      "--bind",
      "127.0.0.1",
      "--dir",
      join(folder, "redis"),
      "--save",
      "",
      "--appendonly",
      "no",
    ],
    ...[
      "--tls-port",
      secured,
      "--tls-cert-file",
      certificate,
      "--tls-key-file",
      key,
      "--tls-auth-clients",
      "no",
    ],
    ...["--aclfile", join(folder, "users.acl")],
  ].map(String);
  const startServer = () => start("redis", plain, "redis-server", args);
  let child = await startServer();
  return {
    url: `redis://127.0.0.1:${plain}`,
    securedUrl: `rediss://127.0.0.1:${secured}`,
    /** Ends it, with what it holds kept or lost, and brings it back. */
    async restart({ downMs = 0, keepsData = true } = {}) {
      const dump = join(folder, "redis/dump.rdb");
      rmSync(dump, { force: true });
      if (keepsData) spawnSync("redis-cli", ["-p", String(plain), "save"]);
      child.kill("SIGKILL");
      await sleep(downMs);
      child = await startServer();
    },
  };
}

async function startAlertmanager(folder, start) {
  const [port] = await freePorts(1);
  const config = join(folder, "alertmanager.yml");
  writeFileSync(config, "route:\n  receiver: none\n  group_wait: 0s\nreceivers:\n  - name: none\n");
  const address = `127.0.0.1:${port}`;
  await start("alertmanager", port, "prometheus-alertmanager", [
    ...[`--config.file=${config}`, `--storage.path=${join(folder, "alertmanager")}`],
    ...[`--web.listen-address=${address}`, "--cluster.listen-address="],
  ]);
  return { url: `http://${address}` };
}

/** A certificate for 127.0.0.1 that signs itself, and a key store for Java. */
function makeCertificate(folder) {
  const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const openssl = (...args) => {
    const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
    if (status !== 0) fail("openssl cannot make a certificate.", stderr);
  };
  openssl(
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"],
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
  );
  openssl(
    ...["pkcs12", "-export", "-in", certificate, "-inkey", key, "-out", join(folder, "store.p12")],
    ...["-passout", "pass:store-password"],
  );
  return { certificate, key };
}

function sha256(text) {
  return spawnSync("openssl", ["dgst", "-sha256", "-r"], { input: text, encoding: "utf8" }).stdout.split(
    " ",
  )[0];
}

/** Ports that are free now; all are held until all are known, so that they differ. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((done, failed) => {
          const server = createServer().once("error", failed);
          server.listen(0, "127.0.0.1", () => done(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

function listens(port) {
  return new Promise((answer) => {
    const socket = connect(port, "127.0.0.1");
    const end = (result) => {
      socket.destroy();
      answer(result);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}
