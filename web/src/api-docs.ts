// The page at /docs: every route of the API with its fields, to be tried out as who is signed in here or with a token.
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle"
import "swagger-ui-dist/swagger-ui.css"

SwaggerUI({
  dom_id: "#docs",
  url: "/api/openapi.json",
  deepLinking: true,
  filter: true,
  persistAuthorization: false, // a token that was typed in stays in this tab's memory
  validatorUrl: null, // no picture from another machine
})
