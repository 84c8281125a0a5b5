export const RECIPE_FILE = "recipe.yaml"

/** Returns an address from which a recipe is downloaded without asking the server again. */
export function recipeAddress(text: string): string {
  return `data:application/yaml;charset=utf-8,${encodeURIComponent(text)}`
}
