"use strict";

class Basket {
  constructor(currency = "EUR") {
    this.currency = currency;
    this.items = new Map();
  }

  add(name, price, count = 1) {
    const entry = this.items.get(name) || { price, count: 0 };
    entry.count += count;
    this.items.set(name, entry);
    return this;
  }

  get total() {
    let sum = 0;
    this.items.forEach(({ price, count }) => {
      sum += price * count;
    });
    return sum;
  }
}

document.querySelectorAll("button.buy").forEach((button) => {
  button.addEventListener("click", (event) => {
    const { name, price } = event.target.dataset;
    window.basket.add(name, Number(price));
  });
});

module.exports = { Basket };
