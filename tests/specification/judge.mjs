// What graphql-js says of documents: parsed, validated, executed over resolvers that answer anything.
// In: {"sdl", "documents": [{"query", "variables", "operationName"}]}. Out: [{"accepted", "stage", "why"}].
import { readFileSync } from 'node:fs';
import {
  buildSchema, execute, getNamedType, getNullableType, isAbstractType, isEnumType, isListType, isLeafType, parse, validate,
} from 'graphql';

const { sdl, documents } = JSON.parse(readFileSync(0, 'utf8'));
const schema = buildSchema(sdl);
const samples = { Int: 1, Float: 1.5, Boolean: true };

function one(type) {
  if (isEnumType(type)) return type.getValues()[0].value;
  if (isLeafType(type)) return samples[type.name] ?? 'x';
  return {};
}

function answer(type) {
  const nullable = getNullableType(type);
  if (!isListType(nullable)) return one(nullable);
  const named = getNamedType(type);
  // One of each kind, so that every selection is executed.
  if (isAbstractType(named)) return schema.getPossibleTypes(named).map((each) => ({ __typename: each.name }));
  return [one(getNullableType(nullable.ofType))];
}

function judge({ query, variables, operationName }) {
  let document;
  try {
    // The specification knows no empty braces; graphql-js does by default.
    document = parse(query, { allowEmptySelectionSets: false });
  } catch (error) {
    return { accepted: false, stage: 'parse', why: error.message };
  }
  const broken = validate(schema, document);
  if (broken.length > 0) return { accepted: false, stage: 'validate', why: broken[0].message };
  let result;
  try {
    result = execute({
      schema,
      document,
      variableValues: variables ?? {},
      operationName: operationName ?? undefined,
      fieldResolver: (source, _arguments, _context, info) => source?.[info.fieldName] ?? answer(info.returnType),
      typeResolver: (value, _context, _info, type) => value.__typename ?? schema.getPossibleTypes(type)[0].name,
    });
  } catch (error) {
    return { accepted: false, stage: 'execute', why: error.message };
  }
  if (result.errors?.length > 0) {
    return { accepted: false, stage: result.data === undefined ? 'variables' : 'execute', why: result.errors[0].message };
  }
  return { accepted: true };
}

process.stdout.write(JSON.stringify(documents.map(judge)));
