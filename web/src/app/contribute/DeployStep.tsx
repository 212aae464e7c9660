// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";
import { asError } from "../../base/error";
import { ShortValue } from "../pools/ShortValue";
import { useToast } from "../shell/Toasts";
import { downloadFile } from "../ui/downloadFile";
import { Icon } from "../ui/Icon";
import {
  type DeploymentFiles,
  type DeploymentForm,
  type DeploymentTarget,
  formErrors,
  makeDeployment,
  policyNames,
} from "./deployment";

/** The files of a form that has no errors; made anew with every change. */
export function useDeployment(form: DeploymentForm, target: DeploymentTarget) {
  const [files, setFiles] = useState<DeploymentFiles>();
  const [problem, setProblem] = useState<string>();
  const key = JSON.stringify([form, target], (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  useEffect(() => {
    let isOver = false;
    if (Object.keys(formErrors(form)).length > 0) {
      setFiles(undefined);
      setProblem(undefined);
      return;
    }
    makeDeployment(form, target).then(
      (made) => {
        if (isOver) return;
        setFiles(made);
        setProblem(undefined);
      },
      (thrown) => {
        if (isOver) return;
        setFiles(undefined);
        setProblem(asError(thrown).detail);
      },
    );
    return () => {
      isOver = true;
    };
    // The key is all of both.
  }, [key]);
  return { files, problem };
}

interface Props {
  files: DeploymentFiles | undefined;
  problem: string | undefined;
  form: DeploymentForm;
  /** The pool's policy, where it is known. */
  policy: Uint8Array | undefined;
}

/** The files to deploy, what a TD that runs them shows, and what to do with them. */
export function DeployStep({ files, problem, form, policy }: Props) {
  if (!files) {
    return (
      <p className={`text-sm ${problem === undefined ? "text-soft" : "text-failed"}`}>
        {problem ??
          "The files are here as soon as wallet and image are named: docker-compose.yaml, app-compose.json and .env, with everything filled in."}
      </p>
    );
  }
  return (
    <>
      <Guide form={form} />
      <FileTabs files={files} />
      <Measured files={files} policy={policy} isDev={form.isDev} />
    </>
  );
}

function Guide({ form }: { form: DeploymentForm }) {
  const file = (name: string) => <code className="font-mono text-[0.9em]">{name}</code>;
  return (
    <ol className="list-decimal space-y-1.5 pl-5 text-sm text-soft">
      {form.isDev ? (
        <li>
          Put {file("docker-compose.yaml")} and {file(".env")} into a folder, the network's{" "}
          {file("dev-tee.seed")} and {file("collateral/")} beside them, and run{" "}
          {file("docker compose up -d")}.
        </li>
      ) : (
        <>
          <li>
            On dstack or Phala Cloud, make an app of {file("app-compose.json")} as it is: a TD
            measures its bytes. Where only a compose file is asked for, take{" "}
            {file("docker-compose.yaml")}, and compare the compose hash with the one below.
          </li>
          <li>Give it the variables of {file(".env")}, encrypted. None of them is measured.</li>
        </>
      )}
      {form.gateway === "" && form.advertise === "" ? (
        <li>
          Set {file("TEETEE_ADVERTISE")} to the address at which other nodes reach port 5010. TLS
          must not be ended before it.
        </li>
      ) : null}
      <li>
        The container fetches its shard and verifies every byte of it; then its port 5001 answers.
        That takes minutes, by the size of the shard.
      </li>
    </ol>
  );
}

const fileNames = ["docker-compose.yaml", "app-compose.json", ".env"] as const;
type FileName = (typeof fileNames)[number];

function textOf(files: DeploymentFiles, name: FileName): string {
  if (name === ".env") return files.env;
  return name === "app-compose.json" ? files.appCompose : files.compose;
}

function FileTabs({ files }: { files: DeploymentFiles }) {
  const [name, setName] = useState<FileName>("docker-compose.yaml");
  const text = textOf(files, name);
  return (
    <div>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <fieldset className="flex flex-wrap rounded-xl border border-line p-0.5">
          <legend className="sr-only">File</legend>
          {fileNames.map((one) => (
            <label
              key={one}
              className="cursor-pointer rounded-lg px-3 py-1.5 font-mono text-xs text-soft hover:text-ink has-checked:bg-raised has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-focus"
            >
              <input
                type="radio"
                name="deployment-file"
                checked={one === name}
                onChange={() => setName(one)}
                className="sr-only"
              />
              {one}
            </label>
          ))}
        </fieldset>
        <div className="flex gap-2">
          <CopyFile name={name} text={text} />
          <button
            type="button"
            onClick={() => downloadFile(name, text, "text/plain")}
            className="btn btn-quiet btn-small"
          >
            <Icon name="download" className="size-4" />
            Download
            <span className="sr-only"> {name}</span>
          </button>
        </div>
      </div>
      <div className="code mt-2">
        <pre tabIndex={0} aria-label={name} className="max-h-96 overflow-auto">
          <code className={`font-mono ${name === "app-compose.json" ? "break-all" : ""}`}>
            {text}
          </code>
        </pre>
      </div>
    </div>
  );
}

function CopyFile({ name, text }: { name: string; text: string }) {
  const toast = useToast();
  const [copied, setCopied] = useState<string>();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(text);
    } catch {
      toast({
        text: "The browser did not let the page copy. Download the file instead.",
        kind: "error",
      });
    }
  };
  const isCopied = copied === text;
  return (
    <button type="button" onClick={() => void copy()} className="btn btn-solid btn-small min-w-24">
      <Icon name={isCopied ? "check" : "copy"} className="size-4" />
      <span aria-live="polite">{isCopied ? "Copied" : "Copy"}</span>
      <span className="sr-only"> {name}</span>
    </button>
  );
}

interface MeasuredProps {
  files: DeploymentFiles;
  policy: Uint8Array | undefined;
  isDev: boolean;
}

const policyWords = {
  named: "The pool's policy names this app.",
  any: "The pool's policy leaves MRCONFIGID open: other registers decide.",
  other:
    "The pool's policy names no build with this MRCONFIGID: this is another image than the pool's. Ask its creator which one it takes.",
};

function verdictOf(policy: Uint8Array | undefined, mrconfigid: string, isDev: boolean) {
  if (isDev) return undefined;
  if (!policy) return { text: "The pool's policy is not known here.", isWrong: false };
  try {
    const verdict = policyNames(policy, mrconfigid);
    return { text: policyWords[verdict], isWrong: verdict === "other" };
  } catch (thrown) {
    return { text: `The pool's policy cannot be read: ${asError(thrown).detail}`, isWrong: true };
  }
}

function Measured({ files, policy, isDev }: MeasuredProps) {
  const verdict = verdictOf(policy, files.mrconfigid, isDev);
  return (
    <dl className="space-y-1 text-sm">
      <div className="flex flex-wrap items-center gap-x-3">
        <dt className="w-28 text-faint">Compose hash</dt>
        <dd>
          <ShortValue value={files.composeHash} what="the compose hash" />
        </dd>
      </div>
      <div className="flex flex-wrap items-center gap-x-3">
        <dt className="w-28 text-faint">MRCONFIGID</dt>
        <dd>
          <ShortValue value={files.mrconfigid} what="the MRCONFIGID that a TD shows" />
        </dd>
      </div>
      {verdict === undefined ? null : (
        <div>
          <dt className="sr-only">The pool's policy</dt>
          <dd className={verdict.isWrong ? "text-failed" : "text-soft"}>{verdict.text}</dd>
        </div>
      )}
    </dl>
  );
}
