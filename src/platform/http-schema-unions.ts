/** A value that fits no form of a union fails in all of them: this picks the errors of the form that was meant. */
import type { ErrorObject } from 'ajv/dist/2020.js'

/** Replaces, for each failed union, the errors of all its branches by those of the likeliest branch. */
export function chooseBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  let kept: ErrorObject[] = []
  for (const error of errors) {
    const isUnion = error.keyword === 'oneOf' || error.keyword === 'anyOf'
    // The validator reports branch by branch and then the union itself, so what lies below it is in `kept`.
    if (!isUnion) kept.push(error)
    else {
      const below = kept.filter((one) => isBelow(one, error))
      kept = kept.filter((one) => !isBelow(one, error)).concat(likeliest(error, below))
    }
  }
  return kept
}

function isBelow(error: ErrorObject, union: ErrorObject): boolean {
  const { instancePath } = error
  return instancePath === union.instancePath || instancePath.startsWith(`${union.instancePath}/`)
}

function likeliest(union: ErrorObject, below: readonly ErrorObject[]): ErrorObject[] {
  const branches = branchesOf(union, below)
  const meant = branches.filter(
    (branch) => branch.length > 0 && !branch.some((one) => tellsApart(one, union)),
  )
  if (meant.length === 1) return meant[0]!
  const tags = below.filter((one) => one.keyword === 'const' && tellsApart(one, union))
  const tag = tags[0]
  if (tag && tags.length === branches.length && tags.every((one) => one.instancePath === tag.instancePath)) {
    const allowedValues = tags.map((one) => one.params['allowedValue'] as unknown)
    return [{ ...tag, keyword: 'enum', params: { allowedValues } }]
  }
  return [union]
}

/** Errors by branch: the schema path says which, or the reference that the branch is. */
function branchesOf(union: ErrorObject, below: readonly ErrorObject[]): ErrorObject[][] {
  const schemas = Array.isArray(union.schema) ? (union.schema as { $ref?: string }[]) : []
  const branches = schemas.map((): ErrorObject[] => [])
  let current = 0
  for (const error of below) {
    const index = schemas.findIndex(
      ({ $ref }, at) =>
        error.schemaPath.startsWith(`${union.schemaPath}/${at}/`) ||
        ($ref !== undefined && error.schemaPath.startsWith(`${$ref}/`)),
    )
    if (index >= 0) current = index
    branches[current]?.push(error)
  }
  return branches
}

/** An error of kind, or of a tag one level down, says that another branch was meant. */
function tellsApart(error: ErrorObject, union: ErrorObject): boolean {
  const depth = error.instancePath.slice(union.instancePath.length).split('/').length - 1
  if (error.keyword === 'type') return depth === 0
  return (error.keyword === 'const' || error.keyword === 'enum') && depth <= 1
}
