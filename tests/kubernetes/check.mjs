// SPDX-License-Identifier: Apache-2.0
// Reads manifests on stdin (YAML, many documents) and has the compiler hold each against the type of its kind: a field
// that the API does not know, or of another type, is an error. Prints one JSON object.
import fs from "node:fs";
import path from "node:path";
import * as yaml from "js-yaml";
import ts from "typescript";

const modules = {
  "v1": "core/v1", "apps/v1": "apps/v1", "policy/v1": "policy/v1", "networking.k8s.io/v1": "networking/v1",
};
const here = import.meta.dirname;
const documents = yaml.loadAll(fs.readFileSync(0, "utf8")).filter((one) => one);
const lines = documents.map((one, i) => {
  const from = modules[one.apiVersion];
  if (!from) throw new Error(`no types for ${one.apiVersion} ${one.kind}`);
  return `import {${one.kind} as Kind${i}} from "kubernetes-types/${from}";\n` +
    `export const object${i}: Kind${i} = ${JSON.stringify(one)};\n`;
});
const file = path.join(here, "objects.ts");
const host = ts.createCompilerHost({});
const read = host.readFile.bind(host);
host.readFile = (name) => (name === file ? lines.join("") : read(name));
const exists = host.fileExists.bind(host);
host.fileExists = (name) => name === file || exists(name);
const source = host.getSourceFile.bind(host);
host.getSourceFile = (name, target, ...rest) =>
  name === file ? ts.createSourceFile(name, lines.join(""), target) : source(name, target, ...rest);
const program = ts.createProgram([file], {
  noEmit: true, strict: true, types: [], target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext, skipLibCheck: true,
}, host);
const errors = ts.getPreEmitDiagnostics(program).map((one) => ts.flattenDiagnosticMessageText(one.messageText, "\n"));
console.log(JSON.stringify({objects: documents.length, errors}));
