// The pass stands behind the '#' of the address, which browsers send to no server. It shall not stay
// in this browser's history either, nor be read off the address bar by the next person.
(function () {
  "use strict";
  var had = location.hash.length > 1;
  if (!had) return;
  history.replaceState(null, "", location.pathname);
  document.addEventListener("DOMContentLoaded", function () {
    document.getElementById("dropped").hidden = false;
  });
})();
