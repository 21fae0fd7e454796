// What the official parser says of an AsyncAPI document: one JSON object on standard output.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const ERROR_OR_WARNING = 1; // 0 error, 1 warning; above stand hints, as that there is a newer AsyncAPI
const problems = diagnostics.filter(({ severity }) => severity <= ERROR_OR_WARNING);
console.log(
  JSON.stringify({
    problems: problems.map(({ path, message }) => `${path.join(".")}: ${message}`),
    version: document?.version(),
    channels: document?.channels().all().map((channel) => [channel.address(), channel.messages().all().map((m) => m.name())]),
    servers: document?.servers().all().map((server) => server.protocol()),
  }),
);
