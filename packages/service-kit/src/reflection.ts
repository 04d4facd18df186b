import { type DescFile, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { reflectionalphapb, reflectionpb } from "@codemesh/api";
import { Code, type ConnectRouter } from "@connectrpc/connect";

// gRPC server reflection, v1 and v1alpha: the two differ in their package only. What is not found is an answer, not a
// failed stream, so that a client may go on asking.

type Request = reflectionpb.ServerReflectionRequest;
type Answer = { case: string; value: unknown };

/** Adds both versions of grpc.reflection to a router, telling of these services and of reflection itself. */
export function routeReflection(router: ConnectRouter, services: readonly DescService[]): void {
  const all = [...services, reflectionpb.ServerReflection, reflectionalphapb.ServerReflection];
  const index = indexOf(all);
  async function* answers(requests: AsyncIterable<Request>) {
    const sent = new Set<string>();
    for await (const request of requests) {
      yield {
        validHost: request.host,
        originalRequest: request,
        messageResponse: answer(request, index, sent) as never,
      };
    }
  }
  router.service(reflectionpb.ServerReflection, { serverReflectionInfo: answers });
  router.service(reflectionalphapb.ServerReflection, {
    serverReflectionInfo: (requests) => answers(requests as never) as never,
  });
}

interface Index {
  readonly services: readonly string[];
  readonly files: ReadonlyMap<string, DescFile>;
  readonly symbols: ReadonlyMap<string, DescFile>;
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
}

function answer(request: Request, index: Index, sent: Set<string>): Answer {
  const { messageRequest } = request;
  switch (messageRequest.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: index.services.map((name) => ({ name })) } };
    case "fileByFilename":
      return files(index.files.get(messageRequest.value), messageRequest.value, sent);
    case "fileContainingSymbol":
      return files(index.symbols.get(messageRequest.value), messageRequest.value, sent);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = messageRequest.value;
      const file = index.extensions.get(containingType)?.get(extensionNumber);
      return files(file, `${containingType} extension ${extensionNumber}`, sent);
    }
    case "allExtensionNumbersOfType": {
      const baseTypeName = messageRequest.value;
      if (!index.symbols.has(baseTypeName)) {
        return failure(Code.NotFound, `${baseTypeName} is not known here.`);
      }
      const extensionNumber = [...(index.extensions.get(baseTypeName)?.keys() ?? [])];
      return { case: "allExtensionNumbersResponse", value: { baseTypeName, extensionNumber } };
    }
    case undefined:
      return failure(Code.Unimplemented, "This question is not known here.");
  }
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

/** The file asked for, always, and those of its imports that this stream has not had. */
function files(file: DescFile | undefined, asked: string, sent: Set<string>): Answer {
  if (file === undefined) {
    return failure(Code.NotFound, `${asked} is not known here.`);
  }
  const wanted = [file, ...importsOf(file).filter((dependency) => !sent.has(dependency.proto.name))];
  for (const each of wanted) {
    sent.add(each.proto.name);
  }
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: wanted.map(encoded) } };
}

function importsOf(file: DescFile, seen = new Set<DescFile>([file])): DescFile[] {
  return file.dependencies.flatMap((dependency) => {
    if (seen.has(dependency)) {
      return [];
    }
    seen.add(dependency);
    return [dependency, ...importsOf(dependency, seen)];
  });
}

const encodedFiles = new WeakMap<DescFile, Uint8Array>();

function encoded(file: DescFile): Uint8Array {
  let bytes = encodedFiles.get(file);
  if (bytes === undefined) {
    bytes = toBinary(FileDescriptorProtoSchema, file.proto);
    encodedFiles.set(file, bytes);
  }
  return bytes;
}

function indexOf(services: readonly DescService[]): Index {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const service of services) {
    for (const file of [service.file, ...importsOf(service.file)]) {
      files.set(file.proto.name, file);
    }
  }
  for (const file of files.values()) {
    for (const name of symbolsOf(file)) {
      symbols.set(name, file);
    }
    for (const extension of file.extensions) {
      const numbers = extensions.get(extension.extendee.typeName) ?? new Map<number, DescFile>();
      extensions.set(extension.extendee.typeName, numbers.set(extension.number, file));
    }
  }
  return { services: services.map((service) => service.typeName).sort(), files, symbols, extensions };
}

function* symbolsOf(file: DescFile): Generator<string> {
  for (const service of file.services) {
    yield service.typeName;
    yield* service.methods.map((method) => `${service.typeName}.${method.name}`);
  }
  yield* file.extensions.map((extension) => extension.typeName);
  yield* typesOf(file);
}

function* typesOf(parent: DescFile | DescMessage): Generator<string> {
  for (const message of "messages" in parent ? parent.messages : parent.nestedMessages) {
    yield message.typeName;
    yield* message.members.map((member) => `${message.typeName}.${member.name}`);
    yield* typesOf(message);
  }
  for (const enumeration of "enums" in parent ? parent.enums : parent.nestedEnums) {
    const scope = enumeration.typeName.slice(0, enumeration.typeName.lastIndexOf(".") + 1);
    yield enumeration.typeName;
    // An enum's values stand beside it, not in it.
    yield* enumeration.values.map((value) => `${scope}${value.name}`);
  }
}
