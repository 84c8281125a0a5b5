declare module "swagger-ui-dist/swagger-ui-es-bundle" {
  export default function SwaggerUI(options: Readonly<Record<string, unknown>>): void
}
