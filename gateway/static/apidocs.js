// Shows the description of the API with swagger-ui, from our own address.
"use strict"

addEventListener("DOMContentLoaded", () => SwaggerUIBundle({
  url: document.getElementById("swagger").dataset.from, dom_id: "#swagger", deepLinking: true, validatorUrl: null, withCredentials: false,
}))
